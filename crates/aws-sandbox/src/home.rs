/// Where everything in a sandbox is: what ARNs begin with.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    /// Twelve digits.
    pub(crate) account: String,
    pub(crate) partition: String,
    /// Of a request that is not signed.
    pub(crate) default_region: String,
}

impl Default for Home {
    fn default() -> Self {
        Self {
            account: "111122223333".to_owned(),
            partition: "aws".to_owned(),
            default_region: "us-east-1".to_owned(),
        }
    }
}
