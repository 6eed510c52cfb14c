//! The time after which whoever works may have been replaced, so that nothing may be written any more.
//!
//! A process can stand still for any time between two of its instructions: suspended, swapped out, moved to another host.
//! What it goes on with must not be a write that its successor has made meanwhile, or has gone beyond.

use std::time::Instant;

use crate::failure::Failure;

tokio::task_local! {
    static LATEST: Instant;
}

/// Runs calls of which no write may begin after `latest`. A call's own time-out is to be added to find when the last one
/// has ended.
pub async fn within<F: Future>(latest: Instant, calls: F) -> F::Output {
    LATEST.scope(latest, calls).await
}

/// Whether a write may still begin.
///
/// # Errors
/// [`Failure::Transient`] after the deadline of [`within`].
pub(crate) fn allows_a_write() -> Result<(), Failure> {
    match LATEST.try_with(|latest| Instant::now() > *latest) {
        Ok(true) => {
            let message = "nothing was sent: this took so long that another replica may have taken over".to_owned();
            Err(Failure::Transient { message })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        time::{Duration, Instant},
    };

    use reqwest::Method;

    use crate::{Effect, Failure, HttpClient};

    /// A server that answers one request; gives its address, and what it was asked.
    fn server() -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (url, asked)
    }

    #[tokio::test]
    async fn past_the_deadline_no_write_is_sent() {
        let (url, asked) = server();
        let client = HttpClient::new(&url, Duration::from_secs(5)).unwrap();
        let send = async |effect, path, latest| {
            super::within(latest, client.send(effect, client.request(Method::POST, path))).await
        };
        let past = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        for effect in [Effect::UnkeyedWrite, Effect::IdempotentWrite] {
            let refused = send(effect, "/write", past).await.unwrap_err();
            assert!(matches!(refused, Failure::Transient { .. }), "{refused}");
        }
        send(Effect::Read, "/read", past).await.unwrap();
        assert!(asked.join().unwrap().starts_with("POST /read "), "the writes were not sent");
    }

    #[tokio::test]
    async fn before_the_deadline_a_write_is_sent() {
        let (url, asked) = server();
        let client = HttpClient::new(&url, Duration::from_secs(5)).unwrap();
        let latest = Instant::now() + Duration::from_secs(60);
        super::within(latest, client.send(Effect::UnkeyedWrite, client.request(Method::POST, "/write"))).await.unwrap();
        assert!(asked.join().unwrap().starts_with("POST /write "));
    }
}
