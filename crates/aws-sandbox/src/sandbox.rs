//! The sandbox as a value: what a test in the same process does with it.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::bedrock::ApplicationProfile;
use crate::call::Call;
use crate::config::Config;
use crate::fault::Fault;
use crate::iam::{Change, NewRole, Role};
use crate::world::World;
use crate::{connection, http};

/// An in-memory AWS; clones share one state. What its methods change is done by "someone else": it is in no call log.
#[derive(Clone, Debug)]
pub struct Sandbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: Config,
    world: Mutex<World>,
}

/// There is no role of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox has no role {0}")]
pub struct NoSuchRole(pub String);

impl Sandbox {
    /// A sandbox with the data's profiles and models, changed by the seed.
    pub fn new(config: Config) -> Self {
        let world = Mutex::new(World::new(&config));
        Self(Arc::new(Shared { config, world }))
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Creates a role, also a protected one, in place of one of the same name.
    pub fn create_role(&self, role: impl Into<NewRole>) -> Role {
        self.world().iam.insert(role.into(), self.config())
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
        let mut world = self.world();
        let found = world.iam.role_mut(role).ok_or_else(|| NoSuchRole(role.to_owned()))?;
        found.tags.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// Removes a tag of a role, if it is there.
    pub fn untag_role(&self, role: &str, key: &str) -> Result<(), NoSuchRole> {
        let mut world = self.world();
        let found = world.iam.role_mut(role).ok_or_else(|| NoSuchRole(role.to_owned()))?;
        found.tags.remove(key);
        Ok(())
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

    /// The HTTP interface without a listener. An answer with the extension [`crate::HangUp`] stands for none.
    pub fn router(&self) -> Router {
        http::router(self.clone())
    }

    /// Serves until the listener fails; dropping the future ends every connection.
    pub fn serve(&self, listener: TcpListener) -> impl Future<Output = io::Result<()>> + Send + use<> {
        connection::accept(self.router(), listener)
    }

    /// Serves on a free port of the loopback interface until the returned value is dropped.
    pub async fn start(&self) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Server { address, task: tokio::spawn(self.serve(listener)) })
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sandbox that is being served; dropping it ends its connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://ADDRESS`, for `AWS_ENDPOINT_URL` or an SDK's `endpoint_url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
