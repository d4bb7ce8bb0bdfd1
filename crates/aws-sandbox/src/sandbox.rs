//! The sandbox as a value: what a test in the same process does with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::bedrock::ApplicationProfile;
use crate::call::Call;
use crate::config::Config;
use crate::fault::Fault;
use crate::home::Home;
use crate::iam::{Change, NewRole, Reads, Role};
use crate::world::World;

/// An in-memory AWS; clones share one state. What its methods change is done by "someone else": it is in no call log.
#[derive(Clone, Debug)]
pub struct Sandbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    home: Home,
    world: Mutex<World>,
}

/// There is no role of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox has no role {0}")]
pub struct NoSuchRole(pub String);

/// There is neither an application profile nor a declared resource of that ARN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox has no resource {0}")]
pub struct NoSuchResource(pub String);

impl Sandbox {
    /// A sandbox with the data's profiles and models, changed by the seed.
    pub fn new(config: Config) -> Self {
        let Config { account, partition, default_region, seed } = config;
        let home = Home { account, partition, default_region };
        let world = Mutex::new(World::new(seed, &home));
        Self(Arc::new(Shared { home, world }))
    }

    /// Where everything in it is.
    pub(crate) fn home(&self) -> &Home {
        &self.0.home
    }

    /// Creates a role, also a protected one, in place of one of the same name.
    pub fn create_role(&self, role: impl Into<NewRole>) -> Role {
        self.world().iam.insert(role.into(), self.home())
    }

    /// The role of the name.
    pub fn role(&self, name: &str) -> Option<Role> {
        self.world().iam.role(name).cloned()
    }

    /// Deletes a role together with its policies.
    pub fn delete_role(&self, name: &str) -> Option<Role> {
        self.world().iam.remove(name)
    }

    /// Sets a tag of a role.
    pub fn tag_role(&self, role: &str, key: &str, value: &str) -> Result<(), NoSuchRole> {
        self.change_role_tags(role, |tags| {
            tags.insert(key.to_owned(), value.to_owned());
        })
    }

    /// Removes a tag of a role, if it is there.
    pub fn untag_role(&self, role: &str, key: &str) -> Result<(), NoSuchRole> {
        self.change_role_tags(role, |tags| {
            tags.remove(key);
        })
    }

    /// Writes an inline policy; neither form nor quota are checked.
    pub fn put_role_policy(&self, role: &str, policy: &str, document: &str) -> Result<(), NoSuchRole> {
        self.world().iam.put_policy(role, policy, document).ok_or_else(|| NoSuchRole(role.to_owned()))
    }

    /// Deletes an inline policy; its text, if it was there.
    pub fn delete_role_policy(&self, role: &str, policy: &str) -> Option<String> {
        self.world().iam.delete_policy(role, policy)
    }

    /// The text of an inline policy, as it was written.
    pub fn role_policy(&self, role: &str, policy: &str) -> Option<String> {
        self.world().iam.role(role)?.policies.get(policy).cloned()
    }

    /// The names of a role's inline policies, sorted; none without such a role.
    pub fn role_policies(&self, role: &str) -> Vec<String> {
        self.world().iam.role(role).map(|role| role.policies.keys().cloned().collect()).unwrap_or_default()
    }

    /// Every change of an inline policy on roles of the name, by whomever, oldest first.
    pub fn history(&self, role: &str) -> Vec<Change> {
        self.world().iam.history(role)
    }

    /// The inline policies (texts by name) of roles of the name after every write that changed one, by whomever, oldest
    /// first: a policy that is in each of them was never absent in between.
    pub fn policy_states(&self, role: &str) -> Vec<BTreeMap<String, String>> {
        self.world().iam.policy_states(role)
    }

    /// Changes what IAM's reads see (GetRole, ListRoles, ListRoleTags, GetRolePolicy, ListRolePolicies,
    /// GetAccountAuthorizationDetails). Every write before is seen; those after it as the setting says. Writes, and this type's
    /// own methods, act on what is true.
    pub fn set_reads(&self, reads: Reads) {
        self.world().iam.set_reads(reads);
    }

    /// What IAM's reads see.
    pub fn reads(&self) -> Reads {
        self.world().iam.reads().clone()
    }

    /// Moves the clock forward by which [`Reads`] lag; otherwise it goes as tokio's does, also a paused one.
    pub fn advance(&self, by: Duration) {
        self.world().iam.advance(by);
    }

    /// Changes or adds the destinations of a profile from a source Region, `["*"]` for a global one; `None` removes it.
    pub fn set_profile(&self, source_region: &str, profile_id: &str, destinations: Option<&[&str]>) {
        let destinations =
            destinations.map(|regions| regions.iter().map(|&region| region.to_owned()).collect());
        self.world().bedrock.set_profile(source_region, profile_id, destinations);
    }

    /// The destinations of a profile from a source Region, `["*"]` for a global one.
    pub fn profile(&self, source_region: &str, profile_id: &str) -> Option<Vec<String>> {
        self.world().bedrock.destinations(source_region, profile_id)
    }

    /// Changes or adds a model's inference types in a Region, such as `ON_DEMAND`; `None` removes it there.
    pub fn set_model(&self, region: &str, model_id: &str, inference_types: Option<&[&str]>) {
        let inference_types =
            inference_types.map(|types| types.iter().map(|&kind| kind.to_owned()).collect());
        self.world().bedrock.set_model(region, model_id, inference_types);
    }

    /// Adds an application profile, in place of one of the same id.
    pub fn set_application_profile(&self, profile: ApplicationProfile) {
        self.world().bedrock.set_application_profile(profile);
    }

    /// Removes an application profile.
    pub fn delete_application_profile(&self, region: &str, id: &str) {
        self.world().bedrock.delete_application_profile(region, id);
    }

    /// Declares a resource that belongs to an account (`provisioned-model`, `imported-model`, `custom-model-deployment`
    /// and the like, but no application profile) with its tags, in place of one of the same ARN. ListTagsForResource
    /// and its like find it from the Region of its ARN, when partition and account are the sandbox's.
    pub fn set_tagged_resource(&self, arn: &str, tags: &[(&str, &str)]) {
        self.world().bedrock.set_tagged_resource(arn.to_owned(), owned(tags));
    }

    /// Removes a resource that was declared with its tags.
    pub fn delete_tagged_resource(&self, arn: &str) {
        self.world().bedrock.delete_tagged_resource(arn);
    }

    /// Replaces all tags of an application profile or of a declared resource.
    pub fn set_tags(&self, arn: &str, tags: &[(&str, &str)]) -> Result<(), NoSuchResource> {
        let mut world = self.world();
        let found = world.bedrock.tags_mut(arn).ok_or_else(|| NoSuchResource(arn.to_owned()))?;
        *found = owned(tags);
        Ok(())
    }

    /// The tags of an application profile or of a declared resource.
    pub fn tags(&self, arn: &str) -> Option<BTreeMap<String, String>> {
        self.world().bedrock.tags(arn).cloned()
    }

    /// Every call over HTTP since the last [`Sandbox::clear_calls`], oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// Forgets the calls.
    pub fn clear_calls(&self) {
        self.world().calls.clear();
    }

    /// Arms a fault, behind those that are armed already.
    pub fn fault(&self, fault: Fault) {
        self.world().faults.arm(fault);
    }

    /// The faults that are still armed, with the numbers that are left.
    pub fn faults(&self) -> Vec<Fault> {
        self.world().faults.armed().to_vec()
    }

    /// Disarms every fault; a call that hangs already goes on hanging.
    pub fn clear_faults(&self) {
        self.world().faults.clear();
    }

    /// Lets every answer over HTTP wait so long, as a network would; what is asked is done at once.
    pub fn set_latency(&self, latency: Duration) {
        self.world().latency = latency;
    }

    /// How long every answer over HTTP waits.
    pub fn latency(&self) -> Duration {
        self.world().latency
    }

    fn change_role_tags(
        &self,
        role: &str,
        change: impl FnOnce(&mut BTreeMap<String, String>),
    ) -> Result<(), NoSuchRole> {
        let no_such_role = || NoSuchRole(role.to_owned());
        let mut world = self.world();
        let mut tags = world.iam.role(role).ok_or_else(no_such_role)?.tags.clone();
        change(&mut tags);
        world.iam.set_tags(role, tags).ok_or_else(no_such_role)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owned(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
    tags.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}
