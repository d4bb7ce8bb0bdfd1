use std::env;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The repository's root folder.
pub fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_path_buf()
}

/// A program that `make tools` builds: `etcd`, `kube-apiserver`, `kube-controller-manager`, `kubectl` or `helm`.
///
/// The environment variable `LOCAL_CLUSTER_TOOLS` names another folder to look in.
pub fn tool(name: &str) -> Result<PathBuf> {
    let folder =
        env::var_os("LOCAL_CLUSTER_TOOLS").map_or_else(|| repository().join(".tools/bin"), PathBuf::from);
    existing(folder.join(name), "make tools")
}

/// A binary of this workspace, from the build profile of the running program.
pub fn cargo_binary(name: &str) -> Result<PathBuf> {
    let running = env::current_exe().map_err(Error::io("cannot tell where the running program lies"))?;
    let folder = running.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    existing(folder.unwrap_or(&running).join(name), "cargo build --workspace --bins")
}

fn existing(path: PathBuf, remedy: &str) -> Result<PathBuf> {
    if path.is_file() { Ok(path) } else { Err(Error::NotBuilt { path, remedy: remedy.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_names_the_command_that_builds_it() {
        let error = cargo_binary("no-such-program").unwrap_err().to_string();
        assert!(
            error.ends_with("no-such-program does not exist: run `cargo build --workspace --bins` first"),
            "{error}"
        );
        assert!(!error.contains("deps"), "{error}");
    }
}
