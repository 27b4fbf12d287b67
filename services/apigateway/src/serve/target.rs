//! Where `AWS` integrations go: a function, or an operation of a service, by its action or by its path.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegration.html#apigw-PutIntegration-request-uri>

use crate::integration::function_arn;

/// `arn:aws:apigateway:{region}:{subdomain.service|service}:{path|action}/{service_api}`
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AwsTarget {
    Function(String),
    Action { region: String, service: String, action: String, query: Option<String> },
    Path { region: String, service: String, subdomain: Option<String>, path: String },
}

impl AwsTarget {
    /// Nothing where the URI is none of these.
    pub(crate) fn read(uri: &str) -> Option<Self> {
        if let Some(function) = function_arn(uri) {
            return Some(Self::Function(function.to_owned()));
        }
        let rest = uri.strip_prefix("arn:aws:apigateway:")?;
        let mut parts = rest.splitn(3, ':');
        let (region, service, api) = (parts.next()?, parts.next()?, parts.next()?);
        if region.is_empty() || service.is_empty() {
            return None;
        }
        let (subdomain, service) = match service.rsplit_once('.') {
            Some((subdomain, service)) => (Some(subdomain.to_owned()), service),
            None => (None, service),
        };
        let (region, service) = (region.to_owned(), signing_name(service).to_owned());
        match api.split_once('/')? {
            ("action", action) if !action.is_empty() => {
                let (action, query) = match action.split_once(['?', '&']) {
                    Some((action, query)) => (action, Some(query.to_owned())),
                    None => (action, None),
                };
                Some(Self::Action { region, service, action: action.to_owned(), query })
            }
            ("path", path) => Some(Self::Path { region, service, subdomain, path: path.to_owned() }),
            _ => None,
        }
    }
}

/// Some services are called otherwise in their endpoints than in signatures.
fn signing_name(service: &str) -> &str {
    match service {
        "cloudwatch" => "monitoring",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::AwsTarget;

    #[test]
    fn targets_are_functions_actions_and_paths() {
        let function = "arn:aws:lambda:r:1:function:f";
        let uri = format!("arn:aws:apigateway:r:lambda:path/2015-03-31/functions/{function}/invocations");
        assert_eq!(AwsTarget::read(&uri), Some(AwsTarget::Function(function.into())));
        let action = AwsTarget::read("arn:aws:apigateway:r:dynamodb:action/PutItem");
        let (region, service) = ("r".to_owned(), "dynamodb".to_owned());
        assert_eq!(
            action,
            Some(AwsTarget::Action { region, service, action: "PutItem".into(), query: None })
        );
        let path = AwsTarget::read("arn:aws:apigateway:r:b.s3:path/{key}");
        let (region, service, subdomain) = ("r".to_owned(), "s3".to_owned(), Some("b".to_owned()));
        assert_eq!(path, Some(AwsTarget::Path { region, service, subdomain, path: "{key}".into() }));
        for uri in
            ["", "arn:aws:apigateway:r:s3", "arn:aws:apigateway::s3:path/x", "arn:aws:apigateway:r:s3:x/y"]
        {
            assert_eq!(AwsTarget::read(uri), None, "{uri}");
        }
    }
}
