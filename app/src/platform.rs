//! The platform put together: every service, one line each, and what runs around them.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use pagoda_apigateway::ApiGateway;
use pagoda_base::{Clock, Random, SystemClock, SystemRandom};
use pagoda_cloudformation::CloudFormation;
use pagoda_dynamodb::DynamoDb;
use pagoda_gateway::{
    Authenticator, Authority, Counters, Front, Gateway, Limits, Listener, Planes, SandboxFront,
};
use pagoda_iam::{Iam, RootKey};
use pagoda_lambda::{Interpreters, Lambda, Ports};
use pagoda_logs::Logs;
use pagoda_protocol::ApiError;
use pagoda_s3::S3;
use pagoda_sandbox::Spawner;
use pagoda_service::ports::{
    CallOperation, Credential, Endpoint, FindCredential, NoCredential, ServeEndpoint,
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
use crate::{cli, sdk};

/// A running platform.
pub(crate) struct Platform {
    front: Arc<Front>,
    background: Background,
    lambda: Arc<Lambda>,
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

impl Platform {
    /// Opens the data folder, puts all services together, and listens.
    pub(crate) async fn start(config: Config, host: Host) -> Result<Self, Error> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom::default());
        let data = Data::open(&config.data)?;
        let store = pagoda_store::open(&data.store(), Arc::clone(&clock), &*random).doing("the store")?;
        let sealer = Sealer::new(&*data.root_key(&*random)?, Arc::clone(&random));
        let blobs = Arc::new(Files::open(&data.blobs(), Arc::clone(&random)).doing("the blobs")?);
        let listeners = bind(&config.listen).await?;
        let address = listeners[0].address().doing("the listener")?;
        let suffix = format!("{}:{}", config.domain, address.port());
        let (registered, fronted) = (Arc::new(Registered::default()), Arc::new(Fronted::default()));

        let iam = Iam::new(store.clone(), random.clone(), sealer.clone(), roots(&config, &data, &*random)?);
        let authorizer = Authorizer::new(iam.clone());
        let sts = Sts::new(iam.clone(), authorizer.clone(), sealer.clone(), clock.clone(), random.clone());
        let credentials = Arc::new(AccessKeys { long_term: iam.clone(), sessions: sts.clone() });
        let authenticator = Arc::new(Authenticator::new(credentials, clock.clone()));
        let logs = Logs::new(store.clone(), clock.clone(), random.clone());
        let dynamodb = DynamoDb::new(store.clone(), clock.clone(), random.clone(), authorizer.clone());
        let s3 = S3::new(store.clone(), blobs, clock.clone(), random.clone(), authorizer.clone());
        let lambda = Lambda::new(
            functions(&config, &data, &host),
            Ports {
                store: store.clone(),
                sealer,
                clock: clock.clone(),
                random: random.clone(),
                authorizer: authorizer.clone(),
                assume_role: sts.clone(),
                read_role: iam.clone(),
                read_object: s3.clone(),
                logs: logs.clone(),
                endpoint: fronted.clone(),
                spawner: Some(host.spawner),
            },
        );
        let lambda = lambda.doing("functions")?;
        let apigateway = ApiGateway::new(
            store.clone(),
            random.clone(),
            authorizer.clone(),
            authenticator.clone(),
            lambda.clone(),
        );
        let cloudformation = CloudFormation::new(
            store.clone(),
            clock.clone(),
            random.clone(),
            registered.clone(),
            s3.clone(),
            suffix,
        );

        let apis = [
            Api::of(&iam),
            Api::of(&sts),
            Api::of(&logs),
            Api::of(&dynamodb),
            Api::of(&s3),
            Api::of(&lambda),
            Api::of(&apigateway),
            Api::of(&pagoda_cloudformation::Handle::of(&cloudformation)),
        ];
        let counters = Counters::new(apis.iter().map(|api| api.spec().name).chain(["platform", "plane"]));
        let registry = Arc::new(Registry::new(apis, authorizer));
        registered.0.set(registry.clone()).map_err(|_| Error::new("the registry was set twice"))?;

        let mut background = Background::default();
        logs.run(&mut background);
        dynamodb.run(&mut background);
        s3.run(&mut background);
        lambda.run(&mut background);

        let gateway = Gateway {
            registry,
            planes: Planes {
                execute_api: Some(apigateway),
                website: Some(s3.clone()),
                cross_origin: Some(s3),
            },
            authenticator,
            account: config.account,
            region: config.region.clone(),
            domain: config.domain.clone(),
            limits: Limits::default(),
            clock: clock.clone(),
            random,
            counters,
        };
        let authority = Authority::open(&data.tls(), &config.domain, address.ip(), clock).doing("TLS")?;
        let tls = Arc::new(authority).tls().doing("TLS")?;
        let front = Front::new(Arc::new(gateway), tls, Limits::default());
        fronted.0.set(SandboxFront(front.clone())).map_err(|_| Error::new("the front was set twice"))?;
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
        Ok(Self { front, background, lambda, store, endpoint })
    }

    /// Finishes what is in flight, and stops.
    pub(crate) async fn stop(self) {
        self.front.drain().await;
        self.background.stop().await;
        self.lambda.close().await;
        self.store.close().await;
    }
}

fn functions(config: &Config, data: &Data, host: &Host) -> pagoda_lambda::Config {
    let fallback = match config.runtime_fallback {
        cli::RuntimeFallback::Nearest => pagoda_lambda::RuntimeFallback::Nearest,
        cli::RuntimeFallback::Exact => pagoda_lambda::RuntimeFallback::Exact,
    };
    let sdk = sdk::present(data);
    pagoda_lambda::Config {
        fallback,
        sdk,
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
