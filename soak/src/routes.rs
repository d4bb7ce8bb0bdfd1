use std::collections::BTreeMap;

use fastrand::Rng;
use local_cluster::SandboxProcess;
use serde_json::json;

use crate::fleet::{HOME, one_in};
use crate::{Outcome, fleet};

const REGIONS: [&str; 3] = [HOME, "us-west-2", "us-east-2"];

const STEADY: [&str; 3] = [
    "global.amazon.nova-2-lite-v1:0",
    "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
];

const VOLATILE: [&str; 4] = [
    "us.amazon.nova-lite-v1:0",
    "us.amazon.nova-micro-v1:0",
    "us.amazon.nova-pro-v1:0",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
];

/// Where a profile that grows reaches in the end.
const NEW_DESTINATIONS: [&str; 2] = ["us-west-1", "ca-central-1"];

/// Where each profile leads from each source Region when nothing is wrong.
pub(crate) struct Routes(BTreeMap<(String, String), Vec<String>>);

impl Routes {
    pub(crate) fn ask(sandbox: &SandboxProcess) -> Outcome<Self> {
        let (scope, model) = fleet::CORE;
        let core = format!("{scope}.{model}");
        let profiles = || STEADY.iter().chain(&VOLATILE).copied().chain([core.as_str()]);
        let mut routes = BTreeMap::new();
        for (region, profile) in
            REGIONS.iter().flat_map(|region| profiles().map(move |profile| (region, profile)))
        {
            let answer = sandbox.inspect(&path(region, profile))?;
            let destinations = serde_json::from_value(answer["destinations"].clone())?;
            routes.insert(((*region).to_owned(), profile.to_owned()), destinations);
        }
        Ok(Self(routes))
    }

    #[cfg(test)]
    pub(crate) fn from(routes: &[(&str, &str, &[&str])]) -> Self {
        let owned = |(region, profile, destinations): &(&str, &str, &[&str])| {
            let destinations = destinations.iter().map(ToString::to_string).collect();
            (((*region).to_owned(), (*profile).to_owned()), destinations)
        };
        Self(routes.iter().map(owned).collect())
    }

    /// The destinations; `["*"]` for a global profile.
    pub(crate) fn of(&self, region: &str, profile: &str) -> Option<&[String]> {
        self.0.get(&(region.to_owned(), profile.to_owned())).map(Vec::as_slice)
    }

    /// The profiles from a source Region whose ids begin with this.
    pub(crate) fn family<'a>(&'a self, source: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let profiles = self.0.keys().filter(move |(region, id)| region == source && id.starts_with(prefix));
        profiles.map(|(_, id)| id.as_str())
    }

    /// A profile answers less for a while, or nothing, or all again, or more for ever.
    pub(crate) fn shift(&mut self, sandbox: &SandboxProcess, rng: &mut Rng) -> Outcome<&'static str> {
        let key = (REGIONS[rng.usize(0..REGIONS.len())], VOLATILE[rng.usize(0..VOLATILE.len())]);
        let Some(full) = self.0.get_mut(&(key.0.to_owned(), key.1.to_owned())) else { return Ok("nothing") };
        let path = path(key.0, key.1);
        if one_in(rng, 8) {
            let new = NEW_DESTINATIONS[rng.usize(0..NEW_DESTINATIONS.len())];
            if !full.iter().any(|region| region == new) {
                full.push(new.to_owned());
            }
            sandbox.set(&path, &json!({"destinations": full}))?;
            return Ok("profile grown");
        }
        match rng.u8(0..4) {
            0 => sandbox.clear(&path).map(|()| "profile gone"),
            1 => sandbox.set(&path, &json!({"destinations": full[..1]})).map(|()| "profile shrunk"),
            _ => sandbox.set(&path, &json!({"destinations": full})).map(|()| "profile whole again"),
        }
        .map_err(Into::into)
    }

    /// Everything answers in full again.
    pub(crate) fn restore(&self, sandbox: &SandboxProcess) -> Outcome<()> {
        for ((region, profile), destinations) in &self.0 {
            sandbox.set(&path(region, profile), &json!({"destinations": destinations}))?;
        }
        Ok(())
    }
}

fn path(region: &str, profile: &str) -> String {
    format!("profiles/{region}/{profile}")
}
