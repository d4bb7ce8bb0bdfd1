//! Text that is kept for long and seldom read.

use std::fmt;

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};

/// A text, packed by what texts of its kind have in common: what repeats that takes next to no memory.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Packed(Box<[u8]>);

impl Packed {
    /// `common` is a text of the same kind. Whoever unpacks needs the same one.
    pub fn new(text: &str, common: &str) -> Self {
        Self(compress_prepend_size_with_dict(text.as_bytes(), common.as_bytes()).into_boxed_slice())
    }

    /// The text; `None` only if it was packed by another `common`.
    pub fn text(&self, common: &str) -> Option<String> {
        let text = decompress_size_prepended_with_dict(&self.0, common.as_bytes()).ok()?;
        String::from_utf8(text).ok()
    }

    /// As it is kept. The same text packed by the same `common` gives the same.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_like_the_common_text_takes_next_to_nothing() {
        let common = "The role assistant-0001 exists and consents; its policy holds what is wanted.";
        let packed = Packed::new(&common.replace("0001", "0002"), common);
        assert!(packed.bytes().len() < 24, "{packed:?}");
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in ".{0,400}", common in ".{0,400}") {
            prop_assert_eq!(Packed::new(&text, &common).text(&common), Some(text));
        }
    }
}
