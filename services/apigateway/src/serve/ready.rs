//! All that serves a method, worked out once, when its deployment is read.

use std::sync::Arc;

use super::bucket::Bucket;
use super::caching::Caching;
use super::mapped::Mapped;
use super::metric::Gauges;
use super::mock::Mock;
use super::outgoing::Parameters;
use super::validate::Validation;
use crate::method_setting::LogLevel;
use crate::table::{Integration, IntegrationKind};

/// A method, ready to be served.
pub(crate) struct Ready {
    pub(crate) gauges: Arc<Gauges>,
    /// What of its requests is told in the execution log.
    pub(crate) log_level: Option<LogLevel>,
    /// What limits it; nothing where it takes all.
    pub(crate) bucket: Option<Arc<Bucket>>,
    /// What its requests must be; nothing where they may be anything.
    pub(crate) validation: Option<Validation>,
    /// How its answers are kept; nothing where they are not.
    pub(crate) caching: Option<Caching>,
    /// What stands behind it; nothing where that was never said.
    pub(crate) plan: Option<Plan>,
}

/// How a method's requests are answered.
pub(crate) enum Plan {
    Mock(Mock),
    Mapped(Box<Mapped>),
    Function,
    Passing(Parameters),
}

impl Plan {
    pub(crate) fn new(integration: &Integration) -> Self {
        match integration.kind {
            IntegrationKind::AwsProxy => Self::Function,
            IntegrationKind::HttpProxy => Self::Passing(Parameters::new(integration)),
            IntegrationKind::Mock => match Mock::constant(integration) {
                Some(mock) => Self::Mock(mock),
                None => Self::Mapped(Box::new(Mapped::new(integration))),
            },
            IntegrationKind::Aws | IntegrationKind::Http => Self::Mapped(Box::new(Mapped::new(integration))),
        }
    }
}

impl Ready {
    /// For tests of other things.
    #[cfg(test)]
    pub(crate) fn unmeasured() -> Self {
        Self {
            gauges: Gauges::unmeasured(),
            log_level: None,
            bucket: None,
            validation: None,
            caching: None,
            plan: None,
        }
    }
}
