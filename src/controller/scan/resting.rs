//! What is known of the objects at rest, so that one that has not changed since costs next to nothing.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use bedrock_iam::scan::ScannedRole;
use bedrock_iam::{Answers, Questions};
use kube::runtime::reflector::Store;
use tokio::time::Instant;

use crate::controller::cached::CachedObject;
use crate::controller::queue::Key;

/// An object and its role, as hashes: whether either has changed is all that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sketch {
    object: u64,
    role: u64,
}

impl Sketch {
    pub(super) fn of(object: &CachedObject, role: &ScannedRole) -> Self {
        Self { object: hash(object.content()), role: hash(role) }
    }
}

/// The objects at rest.
#[derive(Default)]
pub(super) struct Resting {
    objects: HashMap<Key, Rest>,
    /// What Bedrock answered last to the questions of objects at rest. Most objects share theirs.
    answers: HashMap<Arc<Questions>, Answered>,
}

#[derive(Clone, Copy)]
struct Answered {
    /// The answers, as a hash.
    answers: u64,
    at: Instant,
}

struct Rest {
    sketch: Sketch,
    questions: Arc<Questions>,
    /// What it was at rest by.
    answers: u64,
    /// When the object is to be looked at by its own reads, whatever a scan shows.
    full_look: Instant,
}

impl Resting {
    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether an object is at rest by the very same facts, of which none is older than `max_age`.
    pub(super) fn knows(&self, key: &Key, sketch: Sketch, max_age: Duration) -> bool {
        self.objects.get(key).is_some_and(|rest| {
            let answered = self.answers.get(&rest.questions);
            let is_as_before =
                answered.is_some_and(|now| now.answers == rest.answers && now.at.elapsed() <= max_age);
            rest.sketch == sketch && is_as_before
        })
    }

    /// An object is at rest by these facts. If it was so by others, its own look is not put off by that.
    pub(super) fn insert(&mut self, key: &Key, sketch: Sketch, answers: &Answers, full_look: Instant) {
        let before = self.objects.get(key).filter(|rest| rest.sketch.object == sketch.object);
        let full_look = before.map_or(full_look, |rest| rest.full_look);
        let (questions, answers) = (Arc::new(Questions::answered(answers)), hash(answers));
        let known = self.answers.get_key_value(&questions).map(|(known, _)| Arc::clone(known));
        let questions = known.unwrap_or(questions);
        self.answers.insert(Arc::clone(&questions), Answered { answers, at: Instant::now() });
        self.objects.insert(key.clone(), Rest { sketch, questions, answers, full_look });
    }

    /// When an object at rest is to be looked at by its own reads.
    pub(super) fn full_look(&self, key: &Key) -> Option<Instant> {
        self.objects.get(key).map(|rest| rest.full_look)
    }

    /// An object is not at rest; whether it was.
    pub(super) fn remove(&mut self, key: &Key) -> bool {
        self.objects.remove(key).is_some()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets objects that are gone, and what nobody asks any more; and those whose own look is due, so that it counts anew.
    pub(super) fn retain(&mut self, store: &Store<CachedObject>) {
        let now = Instant::now();
        self.objects.retain(|key, rest| rest.full_look > now && store.get(&key.to_ref()).is_some());
        let asked: HashSet<&Arc<Questions>> = self.objects.values().map(|rest| &rest.questions).collect();
        self.answers.retain(|questions, _| asked.contains(questions));
        self.objects.shrink_to_fit();
    }

    /// What objects at rest go by, each once: the few before the many, so that who asks much keeps nobody waiting.
    pub(super) fn questions(&self) -> Vec<Arc<Questions>> {
        let mut questions: Vec<_> = self.answers.keys().cloned().collect();
        questions.sort_by_cached_key(|questions| questions.len());
        questions
    }

    /// Bedrock was asked again; the objects that are not at rest any more, since it says something else.
    pub(super) fn learn(&mut self, questions: &Arc<Questions>, answers: &Answers, at: Instant) -> Vec<Key> {
        let answered = Answered { answers: hash(answers), at };
        let before = self.answers.insert(Arc::clone(questions), answered);
        if before.is_some_and(|before| before.answers == answered.answers) {
            return Vec::new();
        }
        let changed = |rest: &Rest| rest.questions == *questions && rest.answers != answered.answers;
        self.objects.extract_if(|_, rest| changed(rest)).map(|(key, _)| key).collect()
    }
}

pub(super) fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
