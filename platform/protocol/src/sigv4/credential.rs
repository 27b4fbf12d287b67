//! The credential of a signature: who signed, and for which day, region and service.

use http::request::Parts;

use crate::query::pairs;

/// `AKID/20150830/us-east-1/service/aws4_request`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The access key id.
    pub access_key_id: String,
    /// The day, `yyyyMMdd`.
    pub date: String,
    /// The region's name.
    pub region: String,
    /// The service's signing name.
    pub service: String,
}

impl Credential {
    /// Takes `text` apart. Key ids have no slash, so there are exactly five parts.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let mut part = || parts.next();
        let (access_key_id, date, region, service) = (part()?, part()?, part()?, part()?);
        if part() != Some("aws4_request") || part().is_some() {
            return None;
        }
        let is_date = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
        let sound = is_date && !access_key_id.is_empty() && !region.is_empty() && !service.is_empty();
        sound.then(|| Self {
            access_key_id: access_key_id.into(),
            date: date.into(),
            region: region.into(),
            service: service.into(),
        })
    }

    /// What a request claims, unverified: enough to find the service that it is for.
    pub fn claimed(parts: &Parts) -> Option<Self> {
        if let Some(header) = parts.headers.get("authorization") {
            let fields = header.to_str().ok()?.strip_prefix(super::ALGORITHM)?;
            let value = fields.split([',', ' ']).find_map(|field| field.strip_prefix("Credential="))?;
            return Self::parse(value);
        }
        let query = parts.uri.query()?;
        if let Some((_, value)) = pairs(query).find(|(name, _)| name == "X-Amz-Credential") {
            return Self::parse(&value);
        }
        // Version 2, which only S3 takes, has no scope.
        let (_, id) = pairs(query).find(|(name, _)| name == "AWSAccessKeyId")?;
        Some(Self {
            access_key_id: id.into_owned(),
            date: String::new(),
            region: "us-east-1".into(),
            service: "s3".into(),
        })
    }

    /// The scope: `20150830/us-east-1/service/aws4_request`.
    pub fn scope(&self) -> String {
        [&self.date, "/", &self.region, "/", &self.service, "/aws4_request"].concat()
    }

    /// The text that it was taken from: the access key id, and behind a slash the scope.
    pub(crate) fn text(&self) -> String {
        [&self.access_key_id, "/", &self.date, "/", &self.region, "/", &self.service, "/aws4_request"]
            .concat()
    }
}
