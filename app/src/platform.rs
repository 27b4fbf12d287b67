//! The platform put together: every service, one line each, and what runs around them.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use http::request::Parts;
use pagoda_apigateway::ApiGateway;
use pagoda_base::{Clock, Random, SystemClock, SystemRandom};
use pagoda_cloudformation::{CloudFormation, Handle};
use pagoda_cloudwatch::CloudWatch;
use pagoda_dynamodb::DynamoDb;
use pagoda_dynamodbstreams::DynamoDbStreams;
use pagoda_events::Events;
use pagoda_gateway::{
    Authenticator, Authority, Counters, Front, Gateway, Limits, Listener, Planes, SandboxFront,
};
use pagoda_iam::{Iam, RootKey};
use pagoda_lambda::{Interpreters, Lambda, Ports};
use pagoda_logs::Logs;
use pagoda_protocol::{ApiError, Body};
use pagoda_s3::S3;
use pagoda_sandbox::Spawner;
use pagoda_service::ports::{
    CallOperation, Credential, Endpoint, ExportSpan, FindCredential, NoCredential, RelayRequest,
    ServeEndpoint,
};
use pagoda_service::{Api, Authorizer, Background, Context, Registry, Sealer};
use pagoda_store::Store;
use pagoda_store::blob::Files;
use pagoda_sts::Sts;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::data::{Credentials, Data, Running};
use crate::error::{Doing as _, Error};
use crate::otlp::Exporter;
use crate::{cli, sdk};

/// A running platform.
pub(crate) struct Platform {
    front: Arc<Front>,
    background: Background,
    lambda: Arc<Lambda>,
    apigateway: Arc<ApiGateway>,
    cloudwatch: Arc<CloudWatch>,
    spans: Option<Arc<Exporter>>,
    store: Arc<dyn Store>,
    /// The URL that clients are told.
    pub(crate) endpoint: String,
}

/// What has to be ready before the first thread is started.
pub(crate) struct Host {
    pub(crate) interpreters: Interpreters,
    pub(crate) spawner: Spawner,
}

impl Host {
    /// Looks for interpreters and forks the sandbox's spawner.
    pub(crate) fn prepare(config: &Config) -> Result<Self, Error> {
        let interpreters = Interpreters::probe(&config.runtimes).doing("runtimes")?;
        let mut sandbox = interpreters.sandbox();
        sandbox.unsafe_no_sandbox = config.unsafe_no_sandbox;
        Ok(Self { spawner: Spawner::start(sandbox).doing("the sandbox")?, interpreters })
    }
}

/// What all services stand on.
struct Ground {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    sealer: Sealer,
    registered: Arc<Registered>,
    fronted: Arc<Fronted>,
    /// `{domain}:{port}`.
    suffix: String,
    spans: Option<Arc<Exporter>>,
}

/// The services, and what the front door needs of them.
struct Services {
    apis: Vec<Api>,
    planes: Planes,
    authorizer: Authorizer,
    authenticator: Arc<Authenticator>,
    lambda: Arc<Lambda>,
    apigateway: Arc<ApiGateway>,
    cloudformation: Arc<CloudFormation>,
    cloudwatch: Arc<CloudWatch>,
}

impl Platform {
    /// Opens the data folder, puts all services together, and listens.
    pub(crate) async fn start(config: Config, host: Host) -> Result<Self, Error> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom::default());
        let data = Data::open(&config.data)?;
        let listeners = bind(&config.listen).await?;
        let address = listeners[0].address().doing("the listener")?;
        let ground = Ground {
            store: pagoda_store::open(&data.store(), clock.clone(), &*random).doing("the store")?,
            sealer: Sealer::new(&*data.root_key(&*random)?, random.clone()),
            clock,
            random,
            registered: Arc::default(),
            fronted: Arc::default(),
            suffix: format!("{}:{}", config.domain, address.port()),
            spans: config.otlp_endpoint.as_deref().map(Exporter::start).transpose()?,
        };
        let mut background = Background::default();
        let services = services(&ground, &config, &data, host, &mut background)?;
        let (lambda, cloudformation) = (services.lambda.clone(), services.cloudformation.clone());
        let (cloudwatch, apigateway) = (services.cloudwatch.clone(), services.apigateway.clone());
        let front = front(&ground, &config, &data, services, address)?;
        lambda.recover().await.doing("functions")?;
        cloudformation.recover().await.doing("stacks")?;
        for listener in listeners {
            let front = front.clone();
            tokio::spawn(async move { front.serve(listener).await });
        }
        let endpoint = format!("https://{address}");
        let region = config.region.to_string();
        data.announce(&Running {
            endpoint: endpoint.clone(),
            region,
            account: config.account,
            domain: config.domain,
        })?;
        Ok(Self {
            front,
            background,
            lambda,
            apigateway,
            cloudwatch,
            spans: ground.spans,
            store: ground.store,
            endpoint,
        })
    }

    /// Finishes what is in flight, and stops.
    pub(crate) async fn stop(self) {
        self.front.drain().await;
        self.background.stop().await;
        self.lambda.close().await;
        self.apigateway.close().await;
        self.cloudwatch.close().await;
        if let Some(spans) = self.spans {
            spans.close().await;
        }
        self.store.close().await;
    }
}

/// Every service, one line each.
#[rustfmt::skip]
fn services(ground: &Ground, config: &Config, data: &Data, host: Host, background: &mut Background) -> Result<Services, Error> {
    let Ground { store, clock, random, sealer, registered, fronted, suffix, spans } = ground;
    let spans = spans.clone().map(|spans| spans as Arc<dyn ExportSpan>);
    let blobs = Arc::new(Files::open(&data.blobs(), random.clone()).doing("the blobs")?);
    let roots = roots(config, data, &**random)?;

    let iam = Iam::new(store.clone(), random.clone(), sealer.clone(), roots);
    let authorizer = Authorizer::new(iam.clone());
    let sts = Sts::new(iam.clone(), authorizer.clone(), sealer.clone(), clock.clone(), random.clone());
    let credentials = Arc::new(AccessKeys { long_term: iam.clone(), sessions: sts.clone() });
    let authenticator = Arc::new(Authenticator::new(credentials.clone(), clock.clone()));
    let logs = Logs::new(store.clone(), clock.clone(), random.clone());
    let cloudwatch = CloudWatch::new(store.clone(), clock.clone());
    let dynamodb = DynamoDb::new(store.clone(), clock.clone(), random.clone(), authorizer.clone());
    let streams = DynamoDbStreams::new(dynamodb.clone());
    let s3 = S3::new(store.clone(), blobs, clock.clone(), random.clone(), authorizer.clone());
    let functions = functions(config, data, &host, suffix);
    let lambda = Lambda::new(functions, Ports {
        store: store.clone(), sealer: sealer.clone(), clock: clock.clone(), random: random.clone(),
        authorizer: authorizer.clone(), assume_role: sts.clone(), read_role: iam.clone(),
        read_object: s3.clone(), logs: logs.clone(), metrics: cloudwatch.clone(), spans, authenticate: authenticator.clone(), streams: dynamodb.clone(), call_operation: registered.clone(), endpoint: fronted.clone(), spawner: Some(host.spawner),
    }).doing("functions")?;
    let apigateway = ApiGateway::new(pagoda_apigateway::Ports {
        store: store.clone(), sealer: sealer.clone(), random: random.clone(), authorizer: authorizer.clone(), authenticate: authenticator.clone(),
        functions: lambda.clone(), later: lambda.clone(), relay: registered.clone(), metrics: cloudwatch.clone(), logs: logs.clone(), roles: sts.clone(), credentials: credentials.clone(),
    });
    let events = Events::new(store.clone(), clock.clone(), random.clone(), lambda.clone(), cloudwatch.clone());
    let cloudformation = CloudFormation::new(store.clone(), clock.clone(), random.clone(), registered.clone(), s3.clone(), suffix.clone());

    s3.notify(lambda.clone());

    logs.run(background);
    cloudwatch.run(background);
    events.run(background);
    dynamodb.run(background);
    s3.run(background);
    lambda.run(background);
    apigateway.run(background);
    let apis = vec![
        Api::of(&iam), Api::of(&sts), Api::of(&logs), Api::of(&dynamodb), Api::of(&s3), Api::of(&lambda),
        Api::of(&apigateway), Api::of(&streams), Api::of(&Handle::of(&cloudformation)), Api::of(&cloudwatch), Api::of(&events),
    ];
    let planes = Planes { execute_api: Some(apigateway.clone()), function_url: Some(lambda.clone()), instances: Some(lambda.clone()), website: Some(s3.clone()), cross_origin: Some(s3) };
    Ok(Services { apis, planes, authorizer, authenticator, lambda, apigateway, cloudformation, cloudwatch })
}

/// The front door before the services, which are told of it and of each other.
fn front(
    ground: &Ground,
    config: &Config,
    data: &Data,
    services: Services,
    address: SocketAddr,
) -> Result<Arc<Front>, Error> {
    let counters =
        Counters::new(services.apis.iter().map(|api| api.spec().name).chain(["platform", "plane"]));
    let registry = Arc::new(Registry::new(services.apis, services.authorizer));
    ground.registered.0.set(registry.clone()).map_err(|_| Error::new("the registry was set twice"))?;
    let gateway = Gateway {
        registry,
        planes: services.planes,
        authenticator: services.authenticator,
        account: config.account,
        region: config.region.clone(),
        domain: config.domain.clone(),
        limits: Limits::default(),
        clock: ground.clock.clone(),
        random: ground.random.clone(),
        spans: ground.spans.clone().map(|spans| spans as Arc<dyn ExportSpan>),
        counters,
    };
    let authority =
        Authority::open(&data.tls(), &config.domain, address.ip(), ground.clock.clone()).doing("TLS")?;
    let tls = Arc::new(authority).tls().doing("TLS")?;
    let front = Front::new(Arc::new(gateway), tls, Limits::default());
    ground.fronted.0.set(SandboxFront(front.clone())).map_err(|_| Error::new("the front was set twice"))?;
    Ok(front)
}

fn functions(config: &Config, data: &Data, host: &Host, suffix: &str) -> pagoda_lambda::Config {
    let fallback = match config.runtime_fallback {
        cli::RuntimeFallback::Nearest => pagoda_lambda::RuntimeFallback::Nearest,
        cli::RuntimeFallback::Exact => pagoda_lambda::RuntimeFallback::Exact,
    };
    let sdk = sdk::present(data);
    pagoda_lambda::Config {
        fallback,
        sdk,
        url_suffix: suffix.to_owned(),
        ..pagoda_lambda::Config::new(config.data.clone(), host.interpreters.clone())
    }
}

/// Binds all addresses. Where the loopback of one family does not exist, the other's is enough.
async fn bind(wanted: &[SocketAddr]) -> Result<Vec<Listener>, Error> {
    let mut listeners: Vec<Listener> = Vec::new();
    for address in wanted {
        match Listener::bind(*address).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if listeners.is_empty() || error.kind() == std::io::ErrorKind::AddrInUse => {
                return Err(Error::new(format!("{address}: {error}"))
                    .with_hint("another platform may be running; choose another address with --listen"));
            }
            Err(error) => tracing::debug!(%address, %error, "not listened on"),
        }
    }
    Ok(listeners)
}

/// The root keys of all accounts; the first account's is made on the first start, or kept as given.
fn roots(config: &Config, data: &Data, random: &dyn Random) -> Result<Vec<RootKey>, Error> {
    if let Some((id, secret)) = &config.root_key {
        let secret_access_key = Zeroizing::new(secret.clone());
        data.keep_credentials(&Credentials { access_key_id: id.clone(), secret_access_key })?;
    }
    let own = data.credentials(random)?;
    let own = RootKey {
        account: config.account,
        access_key_id: own.access_key_id,
        secret_access_key: own.secret_access_key,
    };
    let further = config.accounts.iter().map(|account| RootKey {
        account: account.id,
        access_key_id: account.access_key.clone(),
        secret_access_key: Zeroizing::new(account.secret_key.clone()),
    });
    Ok([own].into_iter().chain(further).collect())
}

/// Long-term keys are IAM's, sessions STS's.
struct AccessKeys {
    long_term: Arc<Iam>,
    sessions: Arc<Sts>,
}

#[async_trait]
impl FindCredential for AccessKeys {
    async fn find(&self, id: &str, session_token: Option<&str>) -> Result<Credential, NoCredential> {
        match session_token {
            Some(_) => self.sessions.find(id, session_token).await,
            None => self.long_term.find(id, None).await,
        }
    }
}

/// The registry holds CloudFormation, and CloudFormation calls the registry: it is filled in last.
#[derive(Default)]
struct Registered(OnceLock<Arc<Registry>>);

#[async_trait]
impl CallOperation for Registered {
    async fn call(
        &self,
        cx: &Context,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, ApiError> {
        self.0.get().ok_or_else(ApiError::internal)?.call(cx, service, operation, input).await
    }
}

#[async_trait]
impl RelayRequest for Registered {
    async fn relay(
        &self,
        cx: &Context,
        service: &str,
        action: Option<&str>,
        parts: Parts,
        body: Bytes,
    ) -> Response<Body> {
        match self.0.get() {
            Some(registry) => registry.relay(cx, service, action, parts, body).await,
            // Nothing is served before the registry is filled in.
            None => Response::new(Body::empty()),
        }
    }
}

/// The front serves Lambda's API, and Lambda puts the front into its sandboxes: it is filled in last.
#[derive(Default)]
struct Fronted(OnceLock<SandboxFront>);

impl ServeEndpoint for Fronted {
    fn serve(&self, endpoint: Endpoint) {
        if let Some(front) = self.0.get() {
            front.serve(endpoint);
        }
    }
}
