//! The platform put together: every service, one line each, and what runs around them.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::{Clock, Random, SystemClock, SystemRandom};
use pagoda_gateway::{Authenticator, Authority, Counters, Front, Gateway, Limits, Listener, Planes};
use pagoda_iam::{Iam, RootKey};
use pagoda_logs::Logs;
use pagoda_service::ports::{Credential, FindCredential, NoCredential};
use pagoda_service::{Api, Authorizer, Background, Registry, Sealer};
use pagoda_store::Store;
use pagoda_sts::Sts;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::data::{Credentials, Data, Running};
use crate::error::{Doing as _, Error};

/// A running platform.
pub(crate) struct Platform {
    front: Arc<Front>,
    addresses: Vec<SocketAddr>,
    background: Background,
    store: Arc<dyn Store>,
    /// The URL that clients are told.
    pub(crate) endpoint: String,
}

impl Platform {
    /// Opens the data folder, puts all services together, and listens.
    pub(crate) async fn start(config: Config) -> Result<Self, Error> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom::default());
        let data = Data::open(&config.data)?;
        let store = pagoda_store::open(&data.store(), Arc::clone(&clock), &*random).doing("the store")?;
        let sealer = Sealer::new(&*data.root_key(&*random)?, Arc::clone(&random));
        let mut background = Background::default();

        let iam = Iam::new(
            Arc::clone(&store),
            Arc::clone(&random),
            sealer.clone(),
            roots(&config, &data, &*random)?,
        );
        let authorizer = Authorizer::new(iam.clone());
        let sts = Sts::new(
            iam.clone(),
            authorizer.clone(),
            sealer.clone(),
            Arc::clone(&clock),
            Arc::clone(&random),
        );
        let logs = Logs::new(Arc::clone(&store), Arc::clone(&clock), Arc::clone(&random));
        logs.run(&mut background);

        let apis = [Api::of(&iam), Api::of(&sts), Api::of(&logs)];
        let counters = Counters::new(apis.iter().map(|api| api.spec().name).chain(["platform", "plane"]));
        let registry = Arc::new(Registry::new(apis, authorizer));
        let credentials = Arc::new(AccessKeys { long_term: iam, sessions: sts });
        let gateway = Gateway {
            registry,
            planes: Planes::default(),
            authenticator: Arc::new(Authenticator::new(credentials, Arc::clone(&clock))),
            account: config.account,
            region: config.region.clone(),
            domain: config.domain.clone(),
            limits: Limits::default(),
            clock: Arc::clone(&clock),
            random,
            counters,
        };
        let authority = Authority::open(&data.tls(), &config.domain, config.listen[0].ip(), clock);
        let tls = Arc::new(authority.doing("TLS")?).tls().doing("TLS")?;
        let front = Front::new(Arc::new(gateway), tls, Limits::default());
        let addresses = listen(&front, &config.listen).await?;

        let endpoint = format!("https://{}", addresses[0]);
        let region = config.region.to_string();
        data.announce(&Running {
            endpoint: endpoint.clone(),
            region,
            account: config.account,
            domain: config.domain,
        })?;
        Ok(Self { front, addresses, background, store, endpoint })
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Finishes what is in flight, and stops.
    pub(crate) async fn stop(self) {
        self.front.drain().await;
        self.background.stop().await;
        self.store.close().await;
    }
}

/// Binds all addresses. Where the loopback of one family does not exist, the other's is enough.
async fn listen(front: &Arc<Front>, wanted: &[SocketAddr]) -> Result<Vec<SocketAddr>, Error> {
    let mut addresses = Vec::new();
    for address in wanted {
        // With port 0, the families share the port that the first one was given.
        let port = addresses.first().map_or(address.port(), SocketAddr::port);
        let address = SocketAddr::new(address.ip(), if address.port() == 0 { port } else { address.port() });
        match Listener::bind(address).await {
            Ok(listener) => {
                addresses.push(listener.address().doing(address)?);
                let front = Arc::clone(front);
                tokio::spawn(async move { front.serve(listener).await });
            }
            Err(error) if addresses.is_empty() || error.kind() == std::io::ErrorKind::AddrInUse => {
                return Err(Error::new(format!("{address}: {error}"))
                    .with_hint("another platform may be running; choose another address with --listen"));
            }
            Err(error) => tracing::debug!(%address, %error, "not listened on"),
        }
    }
    Ok(addresses)
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
