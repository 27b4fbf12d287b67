//! What runs and what waits, for the operator.

use std::collections::HashMap;

use pagoda_service::ports::{CountInstances, Instances};

use crate::Lambda;
use crate::name::FunctionId;

impl CountInstances for Lambda {
    fn instances(&self) -> Vec<Instances> {
        let mut counts: HashMap<FunctionId, [usize; 2]> = HashMap::new();
        for (id, running) in self.metrics.running() {
            counts.entry(id).or_default()[0] = running;
        }
        for (id, idle) in self.scheduler.idle() {
            counts.entry(id).or_default()[1] = idle;
        }
        let present = counts.into_iter().filter(|(_, [running, idle])| running + idle > 0);
        let shown = present.map(|(id, [running, idle])| Instances {
            account: id.account,
            region: id.region,
            function: id.name,
            running,
            idle,
        });
        shown.collect()
    }
}
