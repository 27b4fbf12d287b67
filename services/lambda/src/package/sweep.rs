//! Background: packages that no function and no instance uses go.

use std::fs;
use std::path::Path;
use std::process;

use pagoda_protocol::ApiError;

use crate::Lambda;
use crate::table::{self, USES};

use super::{Packages, UNFINISHED};

/// Removes every package that nothing uses.
pub(crate) async fn sweep(lambda: &Lambda) {
    let directory = lambda.packages.directory.clone();
    let Ok(Ok(names)) = tokio::task::spawn_blocking(move || names_in(&directory)).await else { return };
    for name in names {
        if let Err(error) = sweep_one(lambda, &name).await {
            tracing::warn!(package = %name, %error, "a package could not be removed");
        }
    }
}

fn names_in(directory: &Path) -> std::io::Result<Vec<String>> {
    let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: std::io::Result<Vec<String>> = names.collect();
    Ok(names?.into_iter().filter(|name| !name.starts_with('.')).collect())
}

async fn sweep_one(lambda: &Lambda, sha256: &str) -> Result<(), ApiError> {
    // Marked first, looked for second: who publishes it in between takes the mark away.
    if !lambda.packages.holds.doom(sha256) {
        return Ok(());
    }
    let used = USES.scan(lambda.store(), &table::usages(sha256), None, 1).await?;
    if !used.items.is_empty() {
        return Ok(());
    }
    lambda.packages.remove(sha256).await;
    Ok(())
}

impl Packages {
    async fn remove(&self, sha256: &str) {
        let place = self.directory.join(sha256);
        let aside = self.directory.join(format!("{UNFINISHED}{}-gone-{sha256}", process::id()));
        let Some(Ok(())) = self.holds.bury(sha256, || fs::rename(&place, &aside)) else { return };
        // What remains is cleared at the next start.
        let _ = tokio::task::spawn_blocking(move || fs::remove_dir_all(aside)).await;
    }
}
