//! Freezing and thawing.

use std::time::Duration;

use libtest_mimic::Trial;
use pagoda_sandbox::End;
use tokio::io::AsyncReadExt;

use crate::guest::{both, line, python, spawn};

pub(crate) fn trials() -> Vec<Trial> {
    [
        both("freezes::a_counter_stops_and_goes_on", a_counter_stops_and_goes_on),
        both("freezes::a_frozen_instance_can_be_killed", a_frozen_instance_can_be_killed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Prints as fast as it is read.
const COUNTER: &str = "n = 0\nwhile True:\n  n += 1\n  print(n)";

async fn a_counter_stops_and_goes_on() {
    let mut instance = spawn(python(COUNTER)).await;
    let mut stdout = instance.stdout.take().unwrap();
    assert_eq!(line(&mut stdout).await, "1");
    instance.freeze().unwrap();
    // A running counter never leaves its pipe empty for so long; a frozen one leaves it empty for good.
    let mut buffer = vec![0; 1 << 16];
    while tokio::time::timeout(Duration::from_millis(300), stdout.read(&mut buffer)).await.is_ok() {}
    let before = instance.cpu_micros().unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(300), stdout.read(&mut buffer)).await.is_err());
    assert_eq!(instance.cpu_micros().unwrap(), before);
    instance.thaw().unwrap();
    assert!(stdout.read(&mut buffer).await.unwrap() > 0);
}

async fn a_frozen_instance_can_be_killed() {
    let mut instance = spawn(python(COUNTER)).await;
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "1");
    instance.freeze().unwrap();
    instance.kill();
    assert_eq!(instance.exited().await.end, End::Signal(9));
}
