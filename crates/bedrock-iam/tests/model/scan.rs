//! One look at the whole account, which puts off looks at objects that are at rest.

use bedrock_iam::decide::Remembered;

use crate::aws::FORMER;
use crate::operator::{Course, End, Operator, Want};
use crate::state::{State, View, shown};

impl State {
    /// One look at the whole account shows what a look at the object might; whether the object is at rest by it. Nothing is written, and
    /// it is remembered only of an object of which nothing is.
    pub(crate) fn scan(
        &mut self,
        operator: &Operator,
        object: usize,
        (role_view, policy_view, former_view): (View, View, View),
    ) -> bool {
        let Some(end) = self.at_rest(operator, object, (role_view, policy_view, former_view)) else {
            return false;
        };
        let it = &mut self.objects[object];
        if *it.remembered == Remembered::default() {
            it.remembered = end.remembered;
        }
        true
    }

    /// How a look would end that finds nothing to do and nothing to say.
    fn at_rest(
        &self,
        operator: &Operator,
        object: usize,
        (role_view, policy_view, former_view): (View, View, View),
    ) -> Option<End> {
        let role = shown(&self.aws.role, role_view)?;
        let policy = shown(&self.aws.policies[object], policy_view)?;
        let former = shown(&self.aws.policies[FORMER], former_view)?;
        let question = self.question(operator, object, role, policy, former)?;
        let decided = operator.decide(&question);
        let Course::Ends(end) = &decided.course else { return None };
        let is_told = end.told == self.objects[object].told && end.reasons.is_empty();
        let is_at_rest = matches!(question.want, Want::InStep(_)) && decided.decision.is_at_rest();
        (is_at_rest && is_told).then(|| end.clone())
    }
}
