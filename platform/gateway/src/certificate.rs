//! The local certificate authority, and the server certificates that it signs as names are asked for.
//!
//! The authority's key is made on the first start and kept, readable by its owner only. It is constrained
//! to the platform's own names and loopback, so that trusting it trusts nothing else. Server certificates
//! live in memory only.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use pagoda_base::{Clock, SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivateKeyDer;

/// Names whose certificates are kept; the least used make room.
const NAMES_MAX: usize = 1_000;
/// Browsers refuse server certificates that live longer than 398 days.
const LEAF_DAYS: i64 = 397;
const AUTHORITY_DAYS: i64 = 3_650;

/// The certificate authority of one data directory.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    leaf_key: KeyPair,
    domain: String,
    address: IpAddr,
    leaves: Cache<String, Arc<CertifiedKey>>,
    clock: Arc<dyn Clock>,
}

/// The authority could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file could not be read or written.
    #[error("the certificate authority's files: {0}")]
    File(#[from] io::Error),
    /// A key or certificate is not what it should be.
    #[error("the certificate authority: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS refused the key.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Authority {
    /// Opens the authority kept in `folder` (`ca.pem`, `ca.key`), or makes it.
    ///
    /// # Errors
    /// When the files cannot be read or written, or were damaged.
    pub fn open(
        folder: &Path,
        domain: &str,
        address: IpAddr,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CertificateError> {
        let (certificate_path, key_path) = (folder.join("ca.pem"), folder.join("ca.key"));
        if !key_path.exists() {
            let key = KeyPair::generate()?;
            let certificate = authority_params(domain, address, clock.now())?.self_signed(&key)?;
            std::fs::create_dir_all(folder)?;
            std::fs::write(&certificate_path, certificate.pem())?;
            write_private(&key_path, &key.serialize_pem())?;
        }
        let key = KeyPair::from_pem(&std::fs::read_to_string(&key_path)?)?;
        let issuer = Issuer::from_ca_cert_pem(&std::fs::read_to_string(&certificate_path)?, key)?;
        let leaf_key = KeyPair::generate()?;
        Ok(Self {
            issuer,
            leaf_key,
            domain: domain.to_owned(),
            address,
            leaves: Cache::new(NAMES_MAX),
            clock,
        })
    }

    /// A TLS configuration that answers with a certificate for whatever name of ours is asked for.
    ///
    /// # Errors
    /// When the cryptographic provider refuses its own defaults.
    pub fn tls(self: Arc<Self>) -> Result<rustls::ServerConfig, CertificateError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn leaf(&self, name: &str) -> Result<Arc<CertifiedKey>, CertificateError> {
        let name = if self.is_ours(name) { name } else { &self.domain };
        if let Some(leaf) = self.leaves.get(name) {
            return Ok(leaf);
        }
        let mut params =
            CertificateParams::new(vec![name.to_owned(), self.domain.clone(), "localhost".to_owned()])?;
        params.subject_alt_names.extend(self.addresses().map(SanType::IpAddress));
        params.distinguished_name.push(DnType::CommonName, "Pagoda");
        live(&mut params, self.clock.now(), LEAF_DAYS);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&self.leaf_key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(self.leaf_key.serialize_der()).map_err(io::Error::other)?;
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)?;
        let leaf = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
        self.leaves.insert(name.to_owned(), Arc::clone(&leaf));
        Ok(leaf)
    }

    fn is_ours(&self, name: &str) -> bool {
        let below = |domain: &str| {
            name.strip_suffix(domain).is_some_and(|head| head.is_empty() || head.ends_with('.'))
        };
        below(&self.domain) || below("localhost")
    }

    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let loopback = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])];
        let own =
            Some(self.address).filter(|address| !address.is_unspecified() && !loopback.contains(address));
        loopback.into_iter().chain(own)
    }
}

impl ResolvesServerCert for Authority {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or(&self.domain).to_ascii_lowercase();
        self.leaf(&name).inspect_err(|error| tracing::error!(%name, %error, "no certificate")).ok()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.domain)
    }
}

/// Valid from yesterday, so that clocks a little apart agree, for `days`.
fn live(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let day = |offset: i64| {
        let date = (now + SignedDuration::from_hours(24 * offset)).to_zoned(jiff::tz::TimeZone::UTC).date();
        rcgen::date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8)
    };
    params.not_before = day(-1);
    params.not_after = day(days);
}

fn authority_params(
    domain: &str,
    address: IpAddr,
    now: Timestamp,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    live(&mut params, now, AUTHORITY_DAYS);
    params.distinguished_name.push(DnType::CommonName, "Pagoda local certificate authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let mut permitted = vec![
        GeneralSubtree::DnsName("localhost".to_owned()),
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(IpAddr::from([127, 0, 0, 0]), 8)),
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), 128)),
    ];
    if domain != "localhost" {
        permitted.push(GeneralSubtree::DnsName(domain.to_owned()));
    }
    if !address.is_loopback() && !address.is_unspecified() {
        let whole = if address.is_ipv4() { 32 } else { 128 };
        permitted.push(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, whole)));
    }
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
    Ok(params)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
