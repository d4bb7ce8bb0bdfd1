//! Everything that the sandbox holds, behind one lock: calls are answered one after another.

use std::time::Duration;

use crate::bedrock::Catalogue;
use crate::call::Call;
use crate::config::Seed;
use crate::fault::Faults;
use crate::home::Home;
use crate::iam::Iam;

/// The state of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) iam: Iam,
    pub(crate) bedrock: Catalogue,
    pub(crate) faults: Faults,
    pub(crate) calls: Vec<Call>,
    /// How long each answer takes, beyond what it costs to make it.
    pub(crate) latency: Duration,
    requests: u64,
}

impl World {
    /// The data's profiles and models, changed by the seed.
    pub(crate) fn new(seed: Seed, home: &Home) -> Self {
        let mut world = Self { bedrock: Catalogue::from_data(), ..Self::default() };
        for role in seed.roles {
            world.iam.insert(role, home);
        }
        for (region, profiles) in seed.profiles {
            for (id, destinations) in profiles {
                world.bedrock.set_profile(&region, &id, destinations);
            }
        }
        for (region, models) in seed.models {
            for (id, inference_types) in models {
                world.bedrock.set_model(&region, &id, inference_types);
            }
        }
        for profile in seed.application_profiles {
            world.bedrock.set_application_profile(profile);
        }
        for (arn, tags) in seed.tagged_resources {
            world.bedrock.set_tagged_resource(arn, tags);
        }
        world
    }

    /// An id for the next answer, shaped like a UUID.
    pub(crate) fn request_id(&mut self) -> String {
        self.requests += 1;
        format!("5a4d0b0e-0000-4000-8000-{:012x}", self.requests)
    }
}
