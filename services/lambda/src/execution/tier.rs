//! Where an instance comes from: the fastest of what works.
//!
//! A version's own image comes first, then the image of its interpreter, of which clones may wait; what always
//! works is to execute the program. A tier that fails costs its time only: the next one is tried.

use std::sync::Arc;

use pagoda_sandbox::{Error, Image, Instance, Spawner, Spec, Start};

use crate::Lambda;

use super::template::{self, Mold};

/// What the instance may be restored from.
pub(super) struct Tiers {
    /// Its version's own image.
    pub(super) snapshot: Option<Arc<Image>>,
    /// That of its interpreter.
    pub(super) mold: Option<Mold>,
}

/// An instance, and where it came from.
pub(super) struct Spawned {
    pub(super) sandbox: Instance,
    /// Its init code ran before.
    pub(super) has_snapshot: bool,
}

/// Begins the instance that `spec` executes.
pub(super) async fn spawn(
    lambda: &Lambda,
    spawner: &Spawner,
    spec: Spec,
    tiers: Tiers,
) -> Result<Spawned, Error> {
    if let Some(image) = tiers.snapshot {
        match restore(spawner, &spec, &image).await {
            Err(error) if may_go_on(&error) => tracing::warn!(%error, "a version's image was not restored"),
            restored => return Ok(Spawned { sandbox: restored?, has_snapshot: true }),
        }
    }
    if let Some(mold) = tiers.mold {
        match lambda.templates.image(&mold) {
            None => lambda.want_template(&mold),
            Some(image) => match restore(spawner, &spec, &image).await {
                Err(error) if may_go_on(&error) => lambda.templates.give_up(&mold, error.to_string()),
                restored => return Ok(Spawned { sandbox: restored?, has_snapshot: false }),
            },
        }
    }
    Ok(Spawned { sandbox: spawner.spawn(spec).await?, has_snapshot: false })
}

/// Whether the next tier may do better.
fn may_go_on(error: &Error) -> bool {
    matches!(error, Error::Spawn { .. } | Error::Ended)
}

/// Tries the image again if a clone of it has died while it waited.
async fn restore(spawner: &Spawner, spec: &Spec, image: &Arc<Image>) -> Result<Instance, Error> {
    for _ in 1..ATTEMPTS_MAX {
        match spawner.spawn(restored(spec, Arc::clone(image))).await {
            Err(error) if may_go_on(&error) => tracing::debug!(%error, "an instance was not restored"),
            spawned => return spawned,
        }
    }
    spawner.spawn(restored(spec, Arc::clone(image))).await
}

/// A clone that died, another one, and one that is restored for this instance.
const ATTEMPTS_MAX: usize = 3;

/// The same instance, restored from an image.
fn restored(spec: &Spec, image: Arc<Image>) -> Spec {
    Spec {
        start: Start::Restore { image },
        environment: Vec::new(),
        resume: Some(template::message(&spec.environment)),
        ..spec.clone()
    }
}
