//! Amazon S3: buckets, objects, and the websites that are served from them.
//!
//! Invariants: an object is visible all at once, and durable when it is acknowledged; a bucket is removed
//! only while a fence keeps objects out of it; a key is plain data and never a path; what a reader may
//! still be reading is removed later; nothing answers a request that bucket policy and public access
//! block do not let through.

mod access;
mod acl;
mod block;
mod bucket;
mod checksum;
mod complete;
mod condition;
mod content;
mod copy;
mod cors;
mod cross_origin;
mod delete;
mod digest;
mod error;
mod fence;
pub mod generated;
mod get;
mod list;
mod listing;
mod metadata;
mod name;
mod notification;
mod object;
mod outbox;
mod part;
mod policy;
mod public;
mod put;
mod range;
mod read_object;
mod serve;
mod source;
mod sweep;
mod table;
mod tag;
mod upload;
mod upload_list;
mod website;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use pagoda_base::{Clock, Random, Timestamp};
use pagoda_protocol::ApiError;
use pagoda_service::ports::{CheckInvocation, InvokeLater};
use pagoda_service::{Access, Authorizer, Background, Context, Nudge, Ownership, Service, operations};
use pagoda_store::{Blob, Store};

/// How often what nobody can see any more is cleared away, if nothing asks for it earlier.
const SWEEP_PERIOD: Duration = Duration::from_secs(60);

/// How often what could not be told is tried again.
const OUTBOX_PERIOD: Duration = Duration::from_secs(10);

/// The S3 service.
pub struct S3 {
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blob>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    authorizer: Authorizer,
    started: Timestamp,
    orphans_cleared: AtomicBool,
    sweep: Nudge,
    functions: OnceLock<Functions>,
    outbox: Nudge,
}

/// The functions that notifications are told.
struct Functions {
    check: Arc<dyn CheckInvocation>,
    later: Arc<dyn InvokeLater>,
}

impl S3 {
    /// S3 with its metadata in `store` and large bodies in `blobs`, of which it must be the only user:
    /// what it does not know there is taken for left over and removed.
    pub fn new(
        store: Arc<dyn Store>,
        blobs: Arc<dyn Blob>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        authorizer: Authorizer,
    ) -> Arc<Self> {
        let started = clock.now();
        Arc::new(Self {
            store,
            blobs,
            clock,
            random,
            authorizer,
            started,
            orphans_cleared: AtomicBool::new(false),
            sweep: Nudge::default(),
            functions: OnceLock::new(),
            outbox: Nudge::default(),
        })
    }

    /// Makes the functions known that buckets may notify. They read their code from S3, and so come later.
    pub fn notify<F: CheckInvocation + InvokeLater + 'static>(&self, functions: Arc<F>) {
        let (check, later) = (functions.clone(), functions);
        // Those who came first stay.
        let _ = self.functions.set(Functions { check, later });
    }

    /// Registers the clearing away of replaced and abandoned content, and the telling of notifications.
    pub fn run(self: &Arc<Self>, background: &mut Background) {
        let s3 = Arc::clone(self);
        background.every(SWEEP_PERIOD, self.sweep.clone(), move || {
            let s3 = Arc::clone(&s3);
            async move { s3.clear_away().await }
        });
        let s3 = Arc::clone(self);
        background.every(OUTBOX_PERIOD, self.outbox.clone(), move || {
            let s3 = Arc::clone(&s3);
            async move { s3.empty_outbox().await }
        });
    }

    fn store(&self) -> &dyn Store {
        &*self.store
    }
}

operations!(S3 {
    AbortMultipartUpload => upload::abort, on access::object;
    CompleteMultipartUpload => complete::complete, on access::object;
    CopyObject => copy::copy, on access::copied;
    CreateBucket => bucket::create, on access::new_bucket;
    CreateMultipartUpload => upload::create, on access::new_upload;
    DeleteBucket => bucket::delete, on access::bucket;
    DeleteBucketCors => cors::delete, on access::bucket;
    DeleteBucketPolicy => policy::delete, on access::bucket;
    DeleteBucketTagging => tag::delete_of_bucket, on access::bucket;
    DeleteBucketWebsite => website::delete, on access::bucket;
    DeleteObject => delete::one, on access::object;
    DeleteObjectTagging => tag::delete_of_object, on access::object;
    DeleteObjects => delete::many, on access::each_by_itself;
    DeletePublicAccessBlock => block::delete, on access::bucket;
    GetBucketAcl => acl::of_bucket, on access::bucket;
    GetBucketCors => cors::get, on access::bucket;
    GetBucketLocation => bucket::location, on access::bucket;
    GetBucketNotificationConfiguration => notification::get, on access::bucket;
    GetBucketOwnershipControls => acl::controls, on access::bucket;
    GetBucketPolicy => policy::get, on access::bucket;
    GetBucketPolicyStatus => policy::status, on access::bucket;
    GetBucketTagging => tag::of_bucket, on access::bucket;
    GetBucketVersioning => bucket::versioning, on access::bucket;
    GetBucketWebsite => website::get, on access::bucket;
    GetObject => get::get, on access::object;
    GetObjectAcl => acl::of_object, on access::object;
    GetObjectAttributes => get::attributes, on access::attributes;
    GetObjectTagging => tag::of_object, on access::object;
    GetPublicAccessBlock => block::get, on access::bucket;
    HeadBucket => bucket::head, on access::bucket;
    HeadObject => get::head, on access::object;
    ListBuckets => bucket::list, on access::all_buckets;
    ListMultipartUploads => upload_list::list, on access::bucket;
    ListObjects => list::first_version, on access::listed;
    ListObjectsV2 => list::second_version, on access::listed;
    ListParts => part::list, on access::object;
    PutBucketCors => cors::put, on access::bucket;
    PutBucketNotificationConfiguration => notification::put, on access::bucket;
    PutBucketOwnershipControls => acl::put_controls, on access::bucket;
    PutBucketPolicy => policy::put, on access::bucket;
    PutBucketTagging => tag::put_on_bucket, on access::bucket;
    PutBucketWebsite => website::put, on access::bucket;
    PutObject => put::put, on access::put;
    PutObjectTagging => tag::put_on_object, on access::tagged;
    PutPublicAccessBlock => block::put, on access::bucket;
    UploadPart => part::upload, on access::object;
    UploadPartCopy => part::copy, on access::part_copied;
});

#[async_trait]
impl Service for S3 {
    /// The largest document is a DeleteObjects of 1,000 keys of 1,024 characters, each perhaps escaped.
    const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

    async fn ownership(&self, cx: &Context, access: &Access) -> Result<Ownership, ApiError> {
        public::ownership(self, cx, access).await
    }
}
