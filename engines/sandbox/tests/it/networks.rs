//! Sockets that the host serves inside an instance.

use libtest_mimic::Trial;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::guest::{all, both, line, python, spawn};

pub(crate) fn trials() -> Vec<Trial> {
    [
        both("networks::the_host_serves_inside", the_host_serves_inside),
        both("networks::each_instance_has_its_own_ports", each_instance_has_its_own_ports),
        both("networks::ports_are_not_the_hosts", ports_are_not_the_hosts),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const ASK: &str = "import socket\nfor port in (9001, 80):\n  s = socket.create_connection(('127.0.0.1', port)); s.sendall(b'ask'); s.shutdown(1); print(s.makefile().read())";

async fn serve(listener: &tokio::net::TcpListener, answer: &str) {
    let (mut connection, peer) = listener.accept().await.unwrap();
    assert!(peer.ip().is_loopback());
    let mut question = String::new();
    connection.read_to_string(&mut question).await.unwrap();
    connection.write_all(format!("{question} {answer}").as_bytes()).await.unwrap();
}

async fn the_host_serves_inside() {
    let mut spec = python(ASK);
    spec.listen = vec![9001, 80];
    let mut instance = spawn(spec).await;
    serve(&instance.listeners[0], "first").await;
    serve(&instance.listeners[1], "second").await;
    assert_eq!(all(instance.stdout.take().unwrap()).await, "ask first\nask second\n");
}

async fn each_instance_has_its_own_ports() {
    let ask = ASK.replace("(9001, 80)", "(9001,)");
    let mut instances = Vec::new();
    for _ in 0..3 {
        let mut spec = python(&ask);
        spec.listen = vec![9001];
        instances.push(spawn(spec).await);
    }
    for (number, instance) in instances.iter_mut().enumerate() {
        serve(&instance.listeners[0], &number.to_string()).await;
        assert_eq!(all(instance.stdout.take().unwrap()).await, format!("ask {number}\n"));
    }
}

async fn ports_are_not_the_hosts() {
    let mut spec = python("print('ready'); import time; time.sleep(1000)");
    spec.listen = vec![39_471];
    let mut instance = spawn(spec).await;
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "ready");
    let found = tokio::net::TcpStream::connect("127.0.0.1:39471").await;
    assert_eq!(found.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
}
