//! What happens to users when the API server or the operator itself goes away and comes back. One story at a time.

use serde_json::json;
use tokio::sync::Mutex;

use crate::policy::resources;
use crate::team::{NOVA_LITE, Team};
use crate::world::World;

/// What one story stops, the others need.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn the_operator_goes_on_by_itself_after_the_api_server_was_restarted() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let world = World::for_interruptions();
    let team = Team::new(world, "api-server-restarted").await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    world.cluster.stop_api_server();
    team.delete_policy().await;
    world.cluster.start_api_server().unwrap();

    team.apply(json!({"models": [{"modelId": NOVA_LITE, "scopes": ["global"]}]})).await;
    team.wait_until_ready().await;
    let resources = resources(&team.policy().await);
    assert!(resources.contains(&format!("arn:aws:bedrock:::foundation-model/{NOVA_LITE}")), "{resources:?}");
    team.delete().await;
    team.wait_until_gone().await;
    assert_eq!(team.policy_names().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_happened_while_the_operator_was_dead_is_made_good_when_it_is_back() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let world = World::for_interruptions();
    let changed = Team::new(world, "changed-meanwhile").await;
    let drifted = Team::new(world, "drifted-meanwhile").await;
    let deleted = Team::new(world, "deleted-meanwhile").await;
    for team in [&changed, &drifted, &deleted] {
        team.apply(json!({})).await;
        team.wait_until_ready().await;
    }
    let drifted_from = drifted.policy().await;

    world.kill_operator();
    changed.apply(json!({"models": [{"modelId": NOVA_LITE, "scopes": ["global"]}]})).await;
    drifted.delete_policy().await;
    deleted.delete().await;
    let created = Team::new(world, "created-meanwhile").await;
    created.apply(json!({})).await;
    assert_eq!(deleted.policy_names().await.len(), 1, "nobody is there to remove it");
    world.start_operator();

    changed.wait_until_ready().await;
    assert!(
        resources(&changed.policy().await)
            .contains(&format!("arn:aws:bedrock:::foundation-model/{NOVA_LITE}"))
    );
    drifted.wait_for_event("DriftRepaired").await;
    assert_eq!(drifted.policy().await, drifted_from);
    deleted.wait_until_gone().await;
    assert_eq!(deleted.policy_names().await, Vec::<String>::new());
    created.wait_until_ready().await;
}

#[tokio::test]
async fn a_namespace_deleted_while_the_operator_was_dead_goes_with_its_policies_once_it_is_back() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let world = World::for_interruptions();
    let team = Team::new(world, "namespace-deleted").await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    world.kill_operator();
    team.delete_namespace().await;
    assert_eq!(team.policy_names().await.len(), 1, "nobody is there to remove it");
    world.start_operator();
    team.wait_until_namespace_gone().await;
    assert_eq!(team.policy_names().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_removed_definition_takes_every_policy_along_and_the_operator_serves_the_next_one() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let world = World::for_interruptions();
    let team = Team::new(world, "definition-removed").await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    let definition = team.delete_definition().await;
    assert_eq!(team.policy_names().await, Vec::<String>::new());

    team.create_definition(&definition).await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    team.delete().await;
    team.wait_until_gone().await;
}

#[tokio::test]
async fn an_operator_that_is_told_to_end_does_so_and_leaves_every_policy() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let world = World::for_interruptions();
    let team = Team::new(world, "operator-terminated").await;
    team.apply(json!({})).await;
    team.wait_until_ready().await;
    let written = team.policy().await;
    world.terminate_operator();
    assert_eq!(team.policy().await, written);
    world.start_operator();
}
