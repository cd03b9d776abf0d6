//! Servers that are not there, refuse, say nothing, or send one elsewhere.

use std::error::Error;
use std::time::Duration;

use download::{DownloadError, Limits, Source};

use crate::server::{self, Server, answer};
use crate::{Folder, contents, limits, source};

#[tokio::test]
async fn a_refusal_is_final_and_a_passing_fault_is_not() {
    for (code, asked) in [(404, 1), (403, 1), (410, 1), (500, 2), (503, 2), (429, 2)] {
        let server = Server::start(move |index, request| match index {
            0 => server::status(code),
            _ => server::file(request, &contents()),
        })
        .await;
        let folder = Folder::new();
        let ended = folder.download(&server).await;
        assert_eq!(server.requests().len(), asked, "{code}");
        if asked == 2 {
            ended.unwrap();
            folder.is_complete();
        } else {
            let error = ended.unwrap_err();
            assert!(error.to_string().contains(&code.to_string()), "{error}");
            folder.is_empty();
        }
    }
}

#[tokio::test]
async fn a_server_that_always_fails_is_asked_a_bounded_number_of_times() {
    let server = Server::start(|_, _| server::status(500)).await;
    let folder = Folder::new();
    let error = folder.download_within(&server, &Limits { attempts: 3, ..limits() }).await.unwrap_err();
    assert!(matches!(error, DownloadError::Refused { .. }), "{error}");
    assert_eq!(server.requests().len(), 3);
    folder.is_empty();
}

#[tokio::test]
async fn silence_before_or_within_the_answer_ends_by_the_stall_limit() {
    let impatient = Limits { stall: Duration::from_millis(200), attempts: 2, ..limits() };
    let silent =
        Server::start(|_, _| server::Answer { head: String::new(), body: Vec::new(), hangs: true }).await;
    let stuck = Server::start(|_, request| server::file(request, &contents()).cut(1_000).hanging()).await;
    for (server, kept) in [(silent, 0), (stuck, 2_000)] {
        let folder = Folder::new();
        let error = folder.download_within(&server, &impatient).await.unwrap_err();
        assert!(
            matches!(&error, DownloadError::Request { source, .. } if source.is_timeout()),
            "{error}: {:?}",
            error.source()
        );
        assert_eq!(server.requests().len(), 2);
        assert_eq!(std::fs::metadata(folder.part()).map_or(0, |part| part.len()), kept);
        assert!(!folder.wanted().exists());
    }
}

#[tokio::test]
async fn everything_together_has_a_limit_too() {
    let server = Server::start(|_, request| server::file(request, &contents()).cut(10).hanging()).await;
    let folder = Folder::new();
    let error = folder
        .download_within(&server, &Limits { whole: Duration::from_millis(300), ..limits() })
        .await
        .unwrap_err();
    assert!(matches!(error, DownloadError::TooSlow { .. }), "{error}");
    assert!(!folder.wanted().exists());
}

#[tokio::test]
async fn redirects_are_followed_up_to_a_bound() {
    for (hops, arrives) in [(3, true), (4, false), (usize::MAX, false)] {
        let server = Server::start(move |index, request| {
            if index < hops {
                answer(&format!("302 Found\r\nContent-Length: 0\r\nLocation: /{index}"), b"")
            } else {
                server::file(request, &contents())
            }
        })
        .await;
        let folder = Folder::new();
        let ended = folder.download_within(&server, &Limits { redirects: 3, ..limits() }).await;
        if arrives {
            ended.unwrap();
            folder.is_complete();
            assert_eq!(server.requests().last().unwrap().path, "/2");
        } else {
            let error = ended.unwrap_err();
            let cause = error.source().and_then(Error::source).map(ToString::to_string);
            assert_eq!(cause.as_deref(), Some("more than 3 redirects"), "{error}");
            assert_eq!(server.requests().len(), 4, "no second attempt");
            folder.is_empty();
        }
    }
}

#[tokio::test]
async fn nobody_there_and_no_address_are_errors_that_leave_nothing() {
    let server = Server::start(|_, _| server::status(500)).await;
    let gone = source(&server);
    drop(server);
    for address in [gone.address.as_str(), "nonsense", "ftp://127.0.0.1/x", "http://"] {
        let folder = Folder::new();
        let source = Source { address: address.to_owned(), ..gone.clone() };
        let limits = Limits { attempts: 2, ..limits() };
        let error = download::download(&source, &folder.wanted(), &limits, |_| {}).await.unwrap_err();
        assert!(error.to_string().contains(address), "{error}");
        folder.is_empty();
    }
}
