use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use kube::{Resource, ResourceExt};

/// An object's UID, in the room of a number: it is kept for every object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Uid(u128);

impl Uid {
    /// Of an object; the API server gives every one a UUID. What has none has a UID like all that have none.
    pub fn of(object: &impl Resource) -> Self {
        object.uid().as_deref().map(Self::from).unwrap_or_default()
    }
}

impl From<&str> for Uid {
    fn from(text: &str) -> Self {
        let digits = text.replace('-', "");
        let number = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32);
        // Another API server may name objects otherwise.
        let hash =
            |part: u8| u128::from(BuildHasherDefault::<DefaultHasher>::default().hash_one((part, text)));
        Self(number.unwrap_or_else(|| hash(0) << 64 | hash(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_uid_has_a_number_of_its_own() {
        let uids = [
            "5f3c9a1e-7d21-4b6a-9c55-0a1b2c3d4e5f",
            "5f3c9a1e-7d21-4b6a-9c55-0a1b2c3d4e50",
            "uid-1",
            "uid-2",
            "",
        ];
        let numbers: std::collections::HashSet<Uid> = uids.into_iter().map(Uid::from).collect();
        assert_eq!(numbers.len(), uids.len());
        assert_eq!(Uid::from(uids[0]).0, 0x5f3c_9a1e_7d21_4b6a_9c55_0a1b_2c3d_4e5f);
    }
}
