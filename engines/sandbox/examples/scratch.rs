#![allow(clippy::print_stdout, clippy::unwrap_used)]
use pagoda_sandbox::*;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
fn main() {
    let spawner = Spawner::start(Config { pool: 1, trees: if std::path::Path::new("/tmp/snap/cls").exists() { vec![Tree { host: "/tmp/snap/cls".into(), guest: "/opt2/cls".into() }] } else { vec![] }, ..Config::default() }).unwrap();
    let args: Vec<String> = std::env::args().collect();
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async move {
        let ids = Ids { uid: 210_000, gid: 210_000 };
        if args[1] == "take" {
            let a: Vec<&str> = args[4..].iter().map(String::as_str).collect();
            let mut spec = Spec::exec(&args[3], &a, ids);
            spec.resume = Some(vec![]);
            spec.limits.cpu_millis = 2000;
            spec.limits.memory_bytes = 1 << 30;
            let mut i = spawner.spawn(spec).await.unwrap();
            let b = std::time::Instant::now();
            let r = tokio::time::timeout(std::time::Duration::from_secs(10), i.snapshot(args[2].as_ref())).await;
            println!("{:?} {:?}", r, b.elapsed());
            if r.is_err() || r.unwrap().is_err() { i.kill(); let mut s = String::new(); i.stdout.as_mut().unwrap().read_to_string(&mut s).await.unwrap(); println!("{s}"); 
              let mut s = String::new(); i.stderr.as_mut().unwrap().read_to_string(&mut s).await.unwrap(); println!("{s}");}
        } else {
            let b = std::time::Instant::now();
            let image = Arc::new(Image::open(args[2].as_ref()).unwrap());
            println!("opened {:?}", b.elapsed());
            let n: usize = args.get(3).map_or(1, |n| n.parse().unwrap());
            let mut times = vec![];
            for k in 0..n {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                let mut spec = Spec::restore(image.clone(), format!("hello {k}\n").into_bytes(), ids);
                spec.limits.cpu_millis = 2000;
                spec.limits.memory_bytes = 1 << 30;
                let b = std::time::Instant::now();
                let mut i = spawner.spawn(spec).await.unwrap();
                let started = b.elapsed();
                let mut buf = vec![0; 4096];
                let n = i.stdout.as_mut().unwrap().read(&mut buf).await.unwrap();
                let word = b.elapsed();
                times.push((word, started));
                if k < 3 {
                    i.resume = None;
                    println!("{:?} {started:?} {word:?}", String::from_utf8_lossy(&buf[..n]));
                    match tokio::time::timeout(std::time::Duration::from_secs(5), i.exited()).await { Ok(e) => println!("{e:?}"), Err(_) => println!("HANG") }
                    i.kill();
                    let mut s = String::new(); i.stderr.as_mut().unwrap().read_to_string(&mut s).await.unwrap(); println!("{s}");
                }
            }
            times.sort();
            println!("word: median {:?} least {:?}; started median of {:?}", times[times.len() / 2].0, times[0].0, times[times.len()/2].1);
        }
    });
}
