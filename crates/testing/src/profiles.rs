//! Every system-defined inference profile that Bedrock really has.

use std::collections::BTreeMap;

use bedrock_iam::Grant;
use bedrock_iam::answer::Answer;

use crate::world::routes;

/// Profile id → source Region → destinations, of every real profile.
pub fn real_profiles() -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    #[derive(serde::Deserialize)]
    struct Data {
        profiles: BTreeMap<String, Profile>,
    }
    #[derive(serde::Deserialize)]
    struct Profile {
        routes: BTreeMap<String, Vec<String>>,
    }
    let data: Data =
        serde_json::from_str(include_str!("../../aws-sandbox/data/inference-profiles.json")).unwrap();
    data.profiles.into_iter().map(|(id, profile)| (id, profile.routes)).collect()
}

/// Every real (profile, source Region) pair as the grant that the data gives it.
pub fn real_grants() -> Vec<Grant> {
    let mut grants = Vec::new();
    for (id, sources) in real_profiles() {
        for (source, destinations) in sources {
            let destinations: Vec<&str> = destinations.iter().map(String::as_str).collect();
            let Answer::Profile { arn, models } = routes(&id, &source, &destinations) else { panic!() };
            let models = models.iter().map(|model| model.parse().unwrap()).collect();
            grants.push(Grant::Profile { arn: arn.parse().unwrap(), models });
        }
    }
    grants
}
