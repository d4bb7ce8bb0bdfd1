//! The cluster id was changed: what was written under the old one is moved, make before break.

use aws_sandbox::{Fault, FaultKind, Service};
use bedrock_access::cluster_id;
use bedrock_access::orphans::Record;
use bedrock_access::reconcile::Error;
use bedrock_iam::PolicyIdentity;
use serde_json::json;

use crate::world::{US, World, consenting, manifest};

const TAG: &str = "bedrockaccess.io/namespaces";

fn policy_name(cluster_id: &str) -> String {
    PolicyIdentity::derive(cluster_id, "team-a", "assistant").policy_name().to_owned()
}

/// The object's policy stands under the id `cluster`; from now on the operator runs as `new`.
async fn renamed() -> World {
    let old = World::new().await;
    old.reconcile().await.unwrap();
    old.adopted_by("new").await
}

#[tokio::test]
async fn the_new_policy_is_proven_before_the_old_one_goes() {
    let world = renamed().await;
    world.reconcile().await.unwrap();
    assert!(world.is_ready());
    assert_eq!(world.our_policies(), [policy_name("new")]);
    for state in world.sandbox.policy_states("assistant") {
        assert!(state.values().any(|text| text.contains(US)), "the grant was absent");
    }
    assert!(world.take_notes().iter().any(|note| note.contains("written under the cluster id cluster")));

    world.reconcile().await.unwrap();
    assert_eq!(
        world.kubernetes.record().len(),
        1,
        "the old entry goes once the old policy is seen to be gone"
    );
    world.take_calls();
    world.reconcile().await.unwrap();
    assert_eq!(world.take_calls(), ["GetRole", "GetRolePolicy"], "and nobody asks for it any more");
}

#[tokio::test]
async fn nothing_is_written_under_a_cluster_id_that_the_record_does_not_hold() {
    let world = renamed().await;
    world.kubernetes.refuse_the_record(true);
    assert!(matches!(world.reconcile().await, Err(Error::Kubernetes(_))));
    assert_eq!(world.our_policies(), [policy_name("cluster")]);
    world.kubernetes.refuse_the_record(false);
    world.reconcile().await.unwrap();
    assert_eq!(world.kubernetes.recorded_ids(), [Some("new".to_owned()), Some("cluster".to_owned())]);
    assert_eq!(world.kubernetes.former_ids(), ["cluster"]);
}

#[tokio::test]
async fn no_cluster_id_is_taken_on_while_too_many_former_ones_have_policies() {
    let world = World::new().await;
    let check = async |now: &str, former: usize| {
        let former: Vec<String> = (1..=former).map(|number| format!("old-{number}")).collect();
        world.kubernetes.note("bedrock-access-record-0", "former-ids", &json!(former).to_string());
        world.kubernetes.note("bedrock-access-record-0", "cluster-id", "cluster");
        let client = world.kubernetes.client();
        let record = Record::new(client.clone(), "bedrock-access", now, None);
        cluster_id::check(&client, &record, now, None).await
    };
    check("cluster", 16).await.unwrap();
    let refused = check("new", 16).await.unwrap_err();
    assert!(!refused.is_passing());
    let told = refused.to_string();
    assert!(
        told.contains("old-1, old-2") && told.contains("old-16, cluster") && told.contains("16 former"),
        "{told}"
    );
}

#[tokio::test]
async fn the_old_policy_stays_until_the_new_one_is_there_and_goes_at_a_later_look() {
    for operation in ["PutRolePolicy", "DeleteRolePolicy"] {
        let world = renamed().await;
        world.sandbox.fault(Fault::new(FaultKind::AccessDenied).of(Service::Iam, operation));
        world.reconcile().await.unwrap();
        assert!(world.our_policies().contains(&policy_name("cluster")), "{operation}");
        world.sandbox.clear_faults();
        world.reconcile().await.unwrap();
        assert_eq!(world.our_policies(), [policy_name("new")], "{operation}");
    }
}

#[tokio::test]
async fn a_profile_that_answers_less_meanwhile_keeps_the_grant_of_the_old_policy() {
    let world = renamed().await;
    world.sandbox.set_profile("us-east-1", US, Some(&["us-east-1"]));
    world.reconcile().await.unwrap();
    assert_eq!(world.condition("Ready"), Some(("False".to_owned(), "ProfileShrunk".to_owned())));
    let new = world.sandbox.role_policy("assistant", &policy_name("new")).unwrap();
    assert!(new.contains("arn:aws:bedrock:us-west-2::foundation-model"), "{new}");
    assert!(
        world.our_policies().contains(&policy_name("cluster")),
        "what stands against the object is settled first"
    );
}

#[tokio::test]
async fn an_owner_s_word_for_the_old_cluster_id_alone_is_told_and_theirs_to_take_back() {
    let role = consenting().tag(TAG, "cluster/team-a");
    let old = World::with(role, manifest()).await;
    old.reconcile().await.unwrap();
    let world = old.adopted_by("new").await;
    world.kubernetes.take_writes();
    for _ in 0..2 {
        world.reconcile().await.unwrap();
    }
    assert_eq!(world.condition("Ready"), Some(("False".to_owned(), "ConsentMissing".to_owned())));
    assert_eq!(world.our_policies(), [policy_name("cluster")]);
    let told = world.take_events().iter().filter(|reason| *reason == "AdoptionWaits").count();
    assert_eq!(told, 1);

    world.sandbox.tag_role("assistant", TAG, "@none").unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(world.our_policies(), Vec::<String>::new());
}

#[tokio::test]
async fn a_suspended_object_keeps_its_old_policy_until_consent_goes() {
    let world = renamed().await;
    world.kubernetes.edit(|object| object["spec"]["suspend"] = json!(true));
    world.reconcile().await.unwrap();
    assert_eq!(world.our_policies(), [policy_name("cluster")]);
    world.sandbox.tag_role("assistant", TAG, "@none").unwrap();
    world.reconcile().await.unwrap();
    assert_eq!(world.our_policies(), Vec::<String>::new());
}

#[tokio::test]
async fn a_deleted_object_takes_both_policies_along() {
    let world = renamed().await;
    world.sandbox.fault(Fault::new(FaultKind::AccessDenied).of(Service::Iam, "DeleteRolePolicy"));
    world.reconcile().await.unwrap();
    assert_eq!(world.our_policies().len(), 2);
    world.kubernetes.edit(|object| object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"));
    assert!(matches!(world.reconcile().await, Err(Error::DeletionWaits(_))));
    world.sandbox.clear_faults();
    world.reconcile().await.unwrap();
    assert_eq!((world.our_policies(), world.kubernetes.record()), (vec![], vec![]));
}

const PROVISIONED: &str = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl";

/// As [`renamed`], while the role's owner has a word for the old cluster id alone; a provisioned model is granted too.
async fn waiting() -> World {
    let mut object = manifest();
    object["spec"]["models"].as_array_mut().unwrap().push(json!({"modelArn": PROVISIONED}));
    let old = World::with(consenting().tag(TAG, "cluster/team-a"), object).await;
    old.sandbox.set_tagged_resource(PROVISIONED, &[(TAG, "cluster/team-a")]);
    old.reconcile().await.unwrap();
    old.adopted_by("new").await
}

#[tokio::test]
async fn what_a_target_s_owner_withdraws_while_the_move_waits_goes_from_the_old_policy() {
    let world = waiting().await;
    let old = || world.sandbox.role_policy("assistant", &policy_name("cluster"));
    for owner in ["cluster/team-a", "new/team-a"] {
        world.sandbox.set_tags(PROVISIONED, &[(TAG, owner)]).unwrap();
        world.an_interval_later().await;
        world.reconcile().await.unwrap();
        assert!(old().unwrap().contains(PROVISIONED), "{owner}");
    }
    world.sandbox.set_tags(PROVISIONED, &[(TAG, "@none")]).unwrap();
    world.sandbox.fault(Fault::new(FaultKind::AccessDenied).of(Service::Bedrock, "ListTagsForResource"));
    world.an_interval_later().await;
    world.reconcile().await.unwrap();
    assert!(old().unwrap().contains(PROVISIONED), "nobody said that it is withdrawn");
    world.sandbox.clear_faults();
    world.take_notes();
    world.reconcile().await.unwrap();
    let left = old().unwrap();
    assert!(!left.contains(PROVISIONED) && left.contains(US), "{left}");
    assert!(world.take_notes().iter().any(|note| note.contains("written under the cluster id cluster")
        && note.contains("consent for the rest was withdrawn")));
}
