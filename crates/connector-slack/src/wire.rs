//! Messages as Slack has them.

use serde::Serialize;

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Message {
    /// Shown in notifications and where blocks cannot be.
    pub(crate) text: String,
    pub(crate) blocks: Vec<Block>,
}

/// What Slack refuses.
#[derive(Debug, Serialize)]
pub(crate) struct Empty {}

#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Block {
    Header {
        text: Text,
    },
    Section {
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<Text>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        fields: Vec<Text>,
    },
    Context {
        elements: Vec<Text>,
    },
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "type", content = "text", rename_all = "snake_case")]
pub(crate) enum Text {
    PlainText(String),
    Mrkdwn(String),
}
