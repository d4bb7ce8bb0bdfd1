use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

/// What a pure function answered.
pub(crate) struct Memo<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Memo<K, V> {
    /// The answer, looked up or computed.
    pub(crate) fn get(&self, key: &K, compute: impl FnOnce() -> V) -> V {
        if let Some(value) = self.0.lock().unwrap().get(key) {
            return value.clone();
        }
        let value = compute();
        self.0.lock().unwrap().insert(key.clone(), value.clone());
        value
    }
}
