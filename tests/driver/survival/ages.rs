//! How old an answer of Bedrock may be that decides something.

use std::time::Duration;

use aws_sandbox::{Config, Sandbox};
use bedrock_access::aws::Bedrock;
use bedrock_access::metrics::Metrics;
use bedrock_iam::{Answer, Target};
use testing::world::account;
use tokio::time::{Instant, sleep_until};

use super::aws;
use super::paused;
use super::scenarios::{TEAM, US, an_object, policy};
use super::wire::Wire;
use super::world::{SOURCE, World};
use crate::context::{INTERVAL, UNLIMITED};

const MOMENT: Duration = Duration::from_millis(1);

/// What Bedrock's answers are kept of.
#[derive(Clone, Copy, Debug)]
enum Question {
    Target,
    Profiles,
    Models,
}

impl Question {
    async fn ask(self, bedrock: &Bedrock) {
        let source = SOURCE.parse().unwrap();
        match self {
            Self::Target => {
                let target = Target::Profile { source, id: US.parse().unwrap() };
                assert!(matches!(bedrock.answer(&target, INTERVAL).await, Answer::Profile { .. }));
            }
            Self::Profiles => assert!(!bedrock.system_profiles(&source, INTERVAL).await.unwrap().is_empty()),
            Self::Models => assert!(!bedrock.on_demand_models(&source, INTERVAL).await.unwrap().is_empty()),
        }
    }
}

#[test]
fn a_cached_answer_is_asked_for_again_exactly_when_it_is_as_old_as_the_interval() {
    let seed = super::seed();
    for question in [Question::Target, Question::Profiles, Question::Models] {
        paused(seed, async {
            let (sandbox, wire) = (Sandbox::new(Config::default()), Wire::new(seed));
            let config = aws::config(&sandbox, &wire).await;
            let bedrock = Bedrock::new(config, UNLIMITED, Metrics::default(), account());
            let begun = Instant::now();
            question.ask(&bedrock).await;
            assert_eq!(wire.count(), 1, "{question:?}");
            sleep_until(begun + INTERVAL - MOMENT).await;
            question.ask(&bedrock).await;
            assert_eq!(wire.count(), 1, "{question:?}: younger than the interval");
            sleep_until(begun + INTERVAL).await;
            question.ask(&bedrock).await;
            assert_eq!(wire.count(), 2, "{question:?}: as old as the interval");
        });
    }
}

#[test]
fn a_route_that_changes_is_followed_within_two_intervals_by_itself() {
    let seed = super::seed();
    paused(seed, async {
        let mut world = World::new(seed);
        an_object(&world);
        world.start().await;
        world.until("ready", INTERVAL / 2, |world| world.is_ready(TEAM)).await;
        let routes = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"];
        world.sandbox.set_profile(SOURCE, US, Some(&routes));
        let follows = |world: &World| policy(world).unwrap().contains("us-west-1");
        world.until("the new route", 2 * INTERVAL, follows).await;
        let sent = world.wire.sent().into_iter();
        let asked = sent.filter(|(_, call)| call.kind == "GetInferenceProfile").count();
        assert_eq!(asked, 4, "two profiles, each at the start and once more");
    });
}
