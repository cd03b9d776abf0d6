use std::borrow::Cow;

use proptest::prelude::{any, prop, proptest};
use schemas::{Cut, FaultKind, InferRequest, Input, Millis, PolicyName, Qos, UnixMillis};

use super::{Form, Sender, TermTexts, form, read};
use crate::admission::{Asked, limit_only};

#[test]
fn forms() {
    use Form::{MessagePack, Picture};
    use Sender::{Plain, Splinter};
    let cases = [
        (None, Plain, Picture),
        (None, Splinter, MessagePack),
        (Some("image/jpeg"), Splinter, Picture),
        (Some("image/png; name=cat"), Plain, Picture),
        // What curl says of --data-binary when it is told nothing.
        (Some("application/x-www-form-urlencoded"), Plain, Picture),
        (Some("application/octet-stream"), Plain, Picture),
        (Some("application/vnd.splinter.v1+msgpack"), Plain, MessagePack),
        (Some("Application/VND.Splinter.InferRequest+MsgPack; v=1"), Plain, MessagePack),
        (Some("application/msgpack"), Plain, MessagePack),
    ];
    for (content_type, sender, expected) in cases {
        assert_eq!(form(content_type, sender), expected, "{content_type:?} {sender:?}");
    }
}

#[test]
fn terms_are_read_from_texts() {
    let texts =
        TermTexts { latency_ms: Some(" 200.5 "), deadline: Some("1800000000000"), policy: Some("edge") };
    let expected = Asked {
        qos: Some(limit_only(Millis::new(200.5).unwrap())),
        policy: Some(PolicyName::Edge),
        deadline: Some(UnixMillis(1_800_000_000_000)),
    };
    assert_eq!(texts.read().unwrap(), expected);
    assert_eq!(TermTexts::default().read().unwrap(), Asked::default());
}

#[test]
fn texts_that_are_no_terms_are_refused() {
    let none = TermTexts::default();
    let cases = [
        (TermTexts { latency_ms: Some("fast"), ..none }, "\"fast\" is not a number of milliseconds"),
        (TermTexts { latency_ms: Some("-5"), ..none }, "above 0"),
        (TermTexts { latency_ms: Some("NaN"), ..none }, "above 0"),
        (TermTexts { latency_ms: Some("inf"), ..none }, "above 0"),
        (TermTexts { deadline: Some("tomorrow"), ..none }, "unix milliseconds"),
        (TermTexts { deadline: Some("-1"), ..none }, "unix milliseconds"),
        (TermTexts { policy: Some("best"), ..none }, "use adaptive, dynasplit, cloud"),
    ];
    for (texts, expected) in cases {
        let fault = texts.read().unwrap_err();
        assert_eq!(fault.kind, FaultKind::BadRequest);
        assert!(fault.message.contains(expected), "{}", fault.message);
    }
}

#[test]
fn a_message_goes_before_its_headers() {
    let qos = Qos { least_cut: Some(Cut(3)), ..limit_only(Millis::new(50.0).unwrap()) };
    let request = InferRequest {
        input: Input::Encoded { bytes: Cow::Borrowed(b"picture") },
        qos: Some(qos),
        policy: None,
    };
    let headers = TermTexts { latency_ms: Some("900"), policy: Some("cloud"), ..TermTexts::default() };
    let body = schemas::encode(&request).unwrap();
    let (input, asked) = read(Form::MessagePack, &body, headers.read().unwrap()).unwrap();
    assert_eq!(input, request.input);
    assert_eq!(asked, Asked { qos: Some(qos), policy: Some(PolicyName::Cloud), deadline: None });
}

proptest! {
    #[test]
    fn no_message_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(fault) = read(Form::MessagePack, &body, Asked::default()) {
            assert_eq!(fault.kind, FaultKind::BadRequest);
        }
    }
}
