use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::watchdog::Watchdog;
use crate::{Error, Result};

/// A temporary folder that disappears with its owner, also when this process is killed.
#[derive(Debug)]
pub(crate) struct Workdir {
    folder: TempDir,
    _watchdog: Watchdog,
}

impl Workdir {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir()
            .map_err(Error::io("cannot make a temporary folder"))?;
        let watchdog = Watchdog::removing_folder(&folder.path().to_string_lossy())?;
        Ok(Self { folder, _watchdog: watchdog })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.join(name);
        std::fs::write(&path, content).map_err(Error::io(format!("cannot write {}", path.display())))?;
        Ok(path)
    }
}
