//! The ConfigMaps of the record: reads, merge patches and creations.

use serde_json::{Value, json};

use super::State;
use super::patch::{Refusal, refusal};

impl State {
    pub(super) fn read_part(&self, name: &str) -> Result<Value, Refusal> {
        let data = self.record.get(name).ok_or_else(|| missing(name))?;
        Ok(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}))
    }

    pub(super) fn note(&mut self, name: &str, patch: &Value) -> Result<Value, Refusal> {
        let data = self.record.get_mut(name).ok_or_else(|| missing(name))?;
        for (key, value) in patch["data"].as_object().unwrap() {
            match value.as_str() {
                Some(text) => data.insert(key.clone(), text.to_owned()),
                None => data.remove(key),
            };
        }
        self.read_part(name)
    }

    pub(super) fn create_part(&mut self, map: &Value) -> Result<Value, Refusal> {
        let name = map["metadata"]["name"].as_str().unwrap();
        if self.record.contains_key(name) {
            return Err(refusal(409, "AlreadyExists", format!("configmaps \"{name}\" already exists")));
        }
        self.record.insert(name.to_owned(), serde_json::from_value(map["data"].clone()).unwrap());
        self.read_part(name)
    }
}

fn missing(name: &str) -> Refusal {
    refusal(404, "NotFound", format!("configmaps \"{name}\" not found"))
}
