//! Pages of a sorted list, with opaque tokens that stay valid when items come and go.

/// One page, and the token of the next one.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// The first `size` of `items`, which are sorted by `key`, behind the key `after`.
    pub(crate) fn cut(
        items: impl Iterator<Item = T>,
        key: fn(&T) -> &str,
        after: Option<&str>,
        size: usize,
    ) -> Self {
        let mut rest = items.skip_while(|item| after.is_some_and(|after| key(item) <= after)).peekable();
        let items: Vec<T> = rest.by_ref().take(size).collect();
        let next = rest.peek().and(items.last()).map(|last| token(key(last)));
        Self { items, next }
    }
}

/// The key behind which the page of a token begins; `None` when the token is none of ours.
pub(crate) fn key_of(token: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = token
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    String::from_utf8(bytes?).ok().filter(|key| !key.is_empty())
}

fn token(key: &str) -> String {
    let digits = key.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_together_hold_every_item_once() {
        let names = ["a", "b", "c", "d", "e"];
        for size in 1..=6 {
            let (mut seen, mut after) = (Vec::<&&str>::new(), None);
            loop {
                let page = Page::cut(names.iter(), |name| name, after.as_deref(), size);
                seen.extend(page.items);
                let Some(next) = page.next else { break };
                after = key_of(&next);
                assert!(after.is_some());
            }
            assert_eq!(seen, names.iter().collect::<Vec<_>>(), "size {size}");
        }
    }

    #[test]
    fn a_foreign_token_is_recognised() {
        for token in ["", "zz", "x", "é1", "ff"] {
            assert_eq!(key_of(token), None, "{token:?}");
        }
    }
}
