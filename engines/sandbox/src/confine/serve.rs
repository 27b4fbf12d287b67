//! The spawner's life: makes ready what all instances share, then clones, hands over, reaps and cleans up.
//!
//! One thread, one `epoll`. Nothing that takes long happens here: an instance makes its own namespaces and
//! groups, and new ones for the pool are cloned when nothing else has happened for a moment. When the host
//! process closes its end of the socket, by intent or by dying, every instance is killed and the spawner ends.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};

use super::first::{self, Ground};
use super::kernel::{self, Cloned};
use super::shelf::Shelf;
use crate::message::{Answer, At, Fault, Head, Hello, Order, Usage};
use crate::socket::{hear, pair, receive, send, tell};

/// Claims that may wait for a sandbox.
const WAITING_MAX: usize = 1024;
/// Sandboxes being made at the same time.
const MAKING_MAX: usize = 16;
/// After so many failures in a row the pool is filled no further until somebody claims.
const FAILURES_MAX: u32 = 3;
/// How long nothing must have happened before the pool is filled or groups are removed.
const QUIET: Duration = Duration::from_millis(2);
/// How long that is put off where something always happens.
const PATIENCE: Duration = Duration::from_millis(20);

/// Which descriptor of an instance an event is about.
const REQUESTS: u64 = 0;
const CONTROL: u64 = 1;
const CHANNEL: u64 = 2;
const PROCESS: u64 = 3;

enum State {
    /// The sandbox is being made; for a clone of an image, if there is one.
    Making(Option<u64>),
    Ready,
    /// A clone of an image is being restored, then waits.
    Restoring(u64),
    Waiting(u64),
    Claimed(OwnedFd),
}

struct Instance {
    /// The id that a clone has for itself alone.
    own_id: Option<u32>,
    process: OwnedFd,
    control: OwnedFd,
    state: State,
}

struct Waiting {
    message: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

/// What a sandbox said; nothing if it has ended.
type Report = Option<Result<(), Fault>>;

/// What the loop keeps.
pub(crate) struct Service {
    ground: Ground,
    requests: OwnedFd,
    poll: OwnedFd,
    pool: usize,
    next: u64,
    instances: HashMap<u64, Instance>,
    ready: VecDeque<u64>,
    making: usize,
    waiting: VecDeque<Waiting>,
    leaving: Vec<u64>,
    failures: u32,
    shelf: Shelf,
    /// When chores were last done, or there were none.
    idle: Instant,
}

impl Service {
    pub(crate) fn new(ground: Ground, requests: OwnedFd, pool: usize) -> Result<Self, Fault> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC).at("epoll")?;
        let service = Self {
            ground,
            requests,
            poll,
            pool,
            next: 1,
            instances: HashMap::new(),
            ready: VecDeque::new(),
            making: 0,
            waiting: VecDeque::new(),
            leaving: Vec::new(),
            failures: 0,
            shelf: Shelf::default(),
            idle: Instant::now(),
        };
        service.watch(&service.requests, 0, REQUESTS, epoll::EventFlags::IN)?;
        Ok(service)
    }

    /// Greets, and serves until the host process closes its end.
    pub(crate) fn run(mut self, hello: &Hello) {
        // If nobody hears it, the first request will be the end of the socket.
        let _ = tell(&self.requests, hello, &[]);
        let mut events = Vec::with_capacity(64);
        loop {
            events.clear();
            let has_chores = self.has_chores();
            if !has_chores {
                self.idle = Instant::now();
            } else if self.idle.elapsed() > PATIENCE {
                self.chores();
            }
            let timeout = has_chores.then_some(QUIET);
            let timeout = timeout.and_then(|duration| Timespec::try_from(duration).ok());
            match epoll::wait(&self.poll, rustix::buffer::spare_capacity(&mut events), timeout.as_ref()) {
                Ok(0) => self.chores(),
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => break,
            }
            let batch: Vec<u64> = events.iter().map(|event: &epoll::Event| event.data.u64()).collect();
            if !batch.into_iter().all(|token| self.handle(token)) {
                break;
            }
            self.fill();
        }
        self.end();
    }

    /// `false` when the host process is gone.
    fn handle(&mut self, token: u64) -> bool {
        let id = token >> 2;
        match token & 3 {
            REQUESTS => return self.request(),
            CONTROL => self.report(id),
            CHANNEL => self.kill(id),
            _ => self.reap(id),
        }
        true
    }

    fn request(&mut self) -> bool {
        let Ok(Some((message, mut descriptors))) = receive(&self.requests) else { return false };
        let Some((head, rest)) = Head::split(&message) else { return false };
        let key = match head {
            Head::Claim { image } => image,
            Head::Keep { image } => {
                if let (Ok(keep), Some(file)) = (serde_json::from_slice(rest), descriptors.pop()) {
                    let surplus = self.shelf.keep(image, keep, file);
                    surplus.into_iter().for_each(|id| self.kill(id));
                }
                return true;
            }
        };
        let waiting = Waiting { message: rest.to_vec(), descriptors };
        if let Some(id) = self.shelf.take(key) {
            self.hand_over(id, waiting);
        } else if let Some(id) = self.ready.pop_front() {
            self.hand_over(id, waiting);
        } else if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(waiting);
        } else if let Some(channel) = waiting.descriptors.first() {
            let _ = tell(channel, &Answer::Busy, &[]);
        }
        true
    }

    /// Gives sandbox `id` its function.
    fn hand_over(&mut self, id: u64, waiting: Waiting) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let mut descriptors = waiting.descriptors;
        let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        // Failing means that the sandbox has just died, and the channel's closing tells the host.
        let _ = send(&instance.control, &waiting.message, &borrowed);
        if descriptors.is_empty() {
            return;
        }
        instance.state = State::Claimed(descriptors.swap_remove(0));
        if let State::Claimed(channel) = &instance.state {
            let token = id << 2 | CHANNEL;
            let _ = add(&self.poll, channel, token, epoll::EventFlags::IN | epoll::EventFlags::RDHUP);
        }
    }

    /// A sandbox is ready, or a clone in it, or it could not be made.
    fn report(&mut self, id: u64) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let report = hear::<Result<(), Fault>>(&instance.control).ok().flatten().map(|(report, _)| report);
        match instance.state {
            State::Making(None) => self.made(id, report),
            State::Making(Some(key)) => self.made_for(id, key, matches!(report, Some(Ok(())))),
            State::Restoring(key) => self.restored(id, key, matches!(report, Some(Ok(())))),
            // It has nothing more to say.
            _ => drop(epoll::delete(&self.poll, &instance.control)),
        }
    }

    /// A sandbox for a clone of image `key` is ready.
    fn made_for(&mut self, id: u64, key: u64, well: bool) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        instance.state = State::Restoring(key);
        let told = match self.shelf.order(key) {
            Some((wait, own, image)) if well => {
                instance.own_id = Some(own);
                tell(&instance.control, &Order::Wait(wait), &[image]).is_ok()
            }
            _ => false,
        };
        if !told {
            self.kill(id);
        }
    }

    fn restored(&mut self, id: u64, key: u64, well: bool) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let _ = epoll::delete(&self.poll, &instance.control);
        if !well {
            // It ends by itself, and is counted then.
            return;
        }
        instance.state = State::Waiting(key);
        if !self.shelf.put(key, id) {
            self.kill(id);
        }
    }

    fn made(&mut self, id: u64, report: Report) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let _ = epoll::delete(&self.poll, &instance.control);
        instance.state = State::Ready;
        self.making -= 1;
        match report {
            Some(Ok(())) => {
                self.failures = 0;
                match self.waiting.pop_front() {
                    Some(waiting) => self.hand_over(id, waiting),
                    None => self.ready.push_back(id),
                }
            }
            Some(Err(fault)) => self.failed(fault),
            None => self.failed(Fault::new("making a sandbox", libc::ECHILD)),
        }
    }

    fn failed(&mut self, fault: Fault) {
        self.failures += 1;
        if let Some(waiting) = self.waiting.pop_front()
            && let Some(channel) = waiting.descriptors.first()
        {
            let _ = tell(channel, &Answer::Failed(fault), &[]);
        }
    }

    fn kill(&mut self, id: u64) {
        let Some(instance) = self.instances.get(&id) else { return };
        if let State::Claimed(channel) = &instance.state {
            // It stays readable, and has nothing more to say.
            let _ = epoll::delete(&self.poll, channel);
        }
        // Signalled first: a thawed guest gets no turn.
        let _ = pidfd_send_signal(&instance.process, Signal::KILL);
        self.ground.cgroups.thaw(id);
    }

    fn reap(&mut self, id: u64) {
        let Some(instance) = self.instances.remove(&id) else { return };
        let _ = waitid(WaitId::PidFd(instance.process.as_fd()), WaitIdOptions::EXITED);
        let _ = epoll::delete(&self.poll, &instance.process);
        match &instance.state {
            State::Claimed(channel) => {
                let usage: Usage = self.ground.cgroups.usage(id);
                let _ = tell(channel, &Answer::Gone(usage), &[]);
            }
            State::Making(None) => {
                self.making -= 1;
                self.failed(Fault::new("making a sandbox", libc::ECHILD));
            }
            State::Making(Some(key)) | State::Restoring(key) => self.shelf.fail(*key),
            State::Waiting(key) => self.shelf.lose(*key, id),
            State::Ready => self.ready.retain(|ready| *ready != id),
        }
        if let Some(own) = instance.own_id {
            self.shelf.release(own);
        }
        self.leaving.push(id);
    }

    /// Whether something is to be done when nothing else happens.
    fn has_chores(&self) -> bool {
        !self.leaving.is_empty()
            || (self.failures < FAILURES_MAX && self.ready.len() + self.making < self.pool)
            || self.shelf.wanted().is_some()
    }

    fn chores(&mut self) {
        self.idle = Instant::now();
        let cgroups = &self.ground.cgroups;
        self.leaving.retain(|id| !cgroups.remove(*id));
        if self.failures < FAILURES_MAX && self.ready.len() + self.making < self.pool {
            self.make(None);
        } else if let Some(key) = self.shelf.wanted() {
            self.shelf.begin(key);
            self.make(Some(key));
        }
    }

    /// Makes sandboxes for those who wait.
    fn fill(&mut self) {
        while self.making < self.waiting.len().min(MAKING_MAX) {
            self.make(None);
        }
    }

    fn make(&mut self, image: Option<u64>) {
        match (self.try_make(image), image) {
            (Ok(()), _) => {}
            (Err(_), Some(key)) => self.shelf.fail(key),
            (Err(fault), None) => self.failed(fault),
        }
    }

    fn try_make(&mut self, image: Option<u64>) -> Result<(), Fault> {
        let id = self.next;
        self.next += 1;
        let (control, inner) = pair(SocketFlags::empty()).at("making a socket")?;
        let group = self.ground.cgroups.for_clone(id)?;
        match kernel::clone(self.ground.twin.is_some(), group.as_ref())? {
            Cloned::Child => first::live(&self.ground, id, inner),
            Cloned::Parent(process) => {
                self.watch(&process, id, PROCESS, epoll::EventFlags::IN)?;
                self.watch(&control, id, CONTROL, epoll::EventFlags::IN)?;
                let state = State::Making(image);
                self.instances.insert(id, Instance { own_id: None, process, control, state });
                self.making += usize::from(image.is_none());
                Ok(())
            }
        }
    }

    fn watch(&self, what: &OwnedFd, id: u64, kind: u64, flags: epoll::EventFlags) -> Result<(), Fault> {
        add(&self.poll, what, id << 2 | kind, flags)
    }

    /// Kills and reaps everything and leaves no group behind.
    fn end(mut self) {
        let ids: Vec<u64> = self.instances.keys().copied().collect();
        ids.iter().for_each(|id| self.kill(*id));
        ids.iter().for_each(|id| self.reap(*id));
        // A group may take a moment to empty after its last process was reaped.
        for _ in 0..100 {
            let cgroups = &self.ground.cgroups;
            self.leaving.retain(|id| !cgroups.remove(*id));
            if self.leaving.is_empty() {
                break;
            }
            std::thread::sleep(QUIET);
        }
        self.ground.cgroups.close();
    }
}

fn add(poll: &OwnedFd, what: &OwnedFd, token: u64, flags: epoll::EventFlags) -> Result<(), Fault> {
    epoll::add(poll, what, epoll::EventData::new_u64(token), flags).at("epoll")
}
