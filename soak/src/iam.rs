use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag as IamTag;
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::consent::{KEY, Tag};
use crate::stage::Stage;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// IAM as everybody but the operators calls it; each call says whether AWS did it.
pub(crate) struct Iam {
    client: Client,
    runtime: Runtime,
}

impl Iam {
    pub(crate) fn new(stage: &Stage) -> Outcome<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { client: stage.sandbox.iam(), runtime })
    }

    pub(crate) fn put_policy(&self, role: &str, policy: &str, document: &str) -> bool {
        let put = self.client.put_role_policy().role_name(role).policy_name(policy).policy_document(document);
        self.runtime.block_on(put.send()).is_ok()
    }

    pub(crate) fn delete_policy(&self, role: &str, policy: &str) -> bool {
        let delete = self.client.delete_role_policy().role_name(role).policy_name(policy);
        self.runtime.block_on(delete.send()).is_ok()
    }

    pub(crate) fn tag_role(&self, role: &str, tag: &Tag) -> Outcome<()> {
        let tagging = self.client.tag_role().role_name(role).tags(iam_tag(tag)?);
        self.runtime.block_on(tagging.send())?;
        Ok(())
    }

    pub(crate) fn create_role(&self, role: &str, tag: &Tag) -> Outcome<()> {
        let create = self.client.create_role().role_name(role).assume_role_policy_document(TRUST);
        self.runtime.block_on(create.tags(iam_tag(tag)?).send())?;
        Ok(())
    }

    pub(crate) fn delete_role(&self, role: &str) -> bool {
        self.runtime.block_on(self.client.delete_role().role_name(role).send()).is_ok()
    }
}

fn iam_tag(tag: &Tag) -> Outcome<IamTag> {
    Ok(IamTag::builder().key(KEY).value(tag.value).build()?)
}
