//! Faults on demand: which call fails, how, and how often.

use serde::{Deserialize, Serialize};

use crate::call::Service;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// The service's throttling error; nothing is done.
    Throttle,
    /// The service's internal error, status 500; nothing is done.
    Internal,
    /// The service's error while it is unavailable, status 503; nothing is done.
    Unavailable,
    /// The service's access error, status 403; nothing is done.
    AccessDenied,
    /// The connection is reset without an answer (TCP RST); nothing is done.
    Reset,
    /// No answer until the client gives up; nothing is done.
    Hang,
    /// The call is executed, then there is no answer until the client gives up.
    HangAfter,
    /// The call is executed, then the connection is closed without an answer.
    LostReply,
    /// The call is executed, then the connection is closed in the middle of the answer.
    TruncatedBody,
    /// The call is executed, and answered with its status and a body that is neither XML nor JSON.
    MalformedBody,
}

/// A fault; a filter that is `None` holds for every call. In JSON every field but `kind` may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Only calls of this service.
    pub service: Option<Service>,
    /// Only calls of this operation, such as `PutRolePolicy`.
    pub operation: Option<String>,
    /// Only calls in this Region.
    pub region: Option<String>,
    /// Only calls for this role name, profile id or model id.
    pub target: Option<String>,
    /// How the calls fail.
    pub kind: FaultKind,
    /// So many matching calls are spared first.
    #[serde(default)]
    pub skip: u32,
    /// So many matching calls fail; `None` means until the faults are cleared.
    pub times: Option<u32>,
}

impl Fault {
    /// A fault for every call, until the faults are cleared.
    pub fn new(kind: FaultKind) -> Self {
        Self { service: None, operation: None, region: None, target: None, kind, skip: 0, times: None }
    }

    /// Limits the fault to one operation of one service.
    #[must_use]
    pub fn of(mut self, service: Service, operation: &str) -> Self {
        self.service = Some(service);
        self.operation = Some(operation.to_owned());
        self
    }

    /// Limits the fault to one service.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// Limits the fault to one Region.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// Limits the fault to one role name, profile id or model id.
    #[must_use]
    pub fn target(mut self, target: &str) -> Self {
        self.target = Some(target.to_owned());
        self
    }

    /// Spares the first `calls` matching calls.
    #[must_use]
    pub fn skip(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Limits the fault to `calls` matching calls.
    #[must_use]
    pub fn times(mut self, calls: u32) -> Self {
        self.times = Some(calls);
        self
    }

    fn matches(&self, subject: &Subject<'_>) -> bool {
        self.service.is_none_or(|service| service == subject.service)
            && self.operation.as_deref().is_none_or(|operation| operation == subject.operation)
            && self.region.as_deref().is_none_or(|region| region == subject.region)
            && self.target.as_deref().is_none_or(|target| Some(target) == subject.target)
    }
}

/// What a fault is matched against.
pub(crate) struct Subject<'a> {
    pub(crate) service: Service,
    pub(crate) operation: &'a str,
    pub(crate) region: &'a str,
    pub(crate) target: Option<&'a str>,
}

/// The armed faults, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn arm(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn armed(&self) -> &[Fault] {
        &self.0
    }

    /// The fault that hits this call: that of the oldest one that matches and spares it no longer. Counts the call.
    pub(crate) fn strike(&mut self, subject: &Subject<'_>) -> Option<FaultKind> {
        let mut struck = None;
        for fault in self.0.iter_mut().filter(|fault| fault.matches(subject)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if struck.is_none() && fault.times != Some(0) {
                fault.times = fault.times.map(|left| left - 1);
                struck = Some(fault.kind);
            }
        }
        self.0.retain(|fault| fault.times != Some(0));
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(target: &str) -> Subject<'_> {
        Subject {
            service: Service::Iam,
            operation: "PutRolePolicy",
            region: "us-east-1",
            target: Some(target),
        }
    }

    #[test]
    fn a_fault_hits_as_often_as_asked_and_then_no_more() {
        let mut faults = Faults::default();
        faults.arm(Fault::new(FaultKind::Throttle).of(Service::Iam, "PutRolePolicy").times(2));
        let struck: Vec<_> = (0..3).map(|_| faults.strike(&put("a"))).collect();
        assert_eq!(struck, [Some(FaultKind::Throttle), Some(FaultKind::Throttle), None]);
        assert!(faults.armed().is_empty());
    }

    #[test]
    fn a_fault_spares_the_calls_that_it_skips() {
        let mut faults = Faults::default();
        faults.arm(Fault::new(FaultKind::Reset).skip(1).times(1));
        let struck: Vec<_> = (0..3).map(|_| faults.strike(&put("a"))).collect();
        assert_eq!(struck, [None, Some(FaultKind::Reset), None]);
    }

    #[test]
    fn a_fault_hits_only_its_target_region_service_and_operation() {
        for miss in [
            Fault::new(FaultKind::Hang).target("b"),
            Fault::new(FaultKind::Hang).region("eu-west-1"),
            Fault::new(FaultKind::Hang).service(Service::Bedrock),
            Fault::new(FaultKind::Hang).of(Service::Iam, "GetRole"),
        ] {
            let mut faults = Faults::default();
            faults.arm(miss);
            assert_eq!(faults.strike(&put("a")), None);
        }
    }
}
