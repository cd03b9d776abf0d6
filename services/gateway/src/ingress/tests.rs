use std::borrow::Cow;

use proptest::prelude::{any, prop, proptest};
use schemas::{Cut, FaultKind, InferRequest, Input, Millis, PolicyName, Qos, Share};

use super::{Form, Sender, form, read};
use crate::admission::Asked;

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
fn a_message_goes_before_its_headers() {
    let qos = Qos { least_cut: Some(Cut(3)), ..Qos::within(Millis::new(50.0).unwrap()) };
    let request = InferRequest {
        input: Input::Encoded { bytes: Cow::Borrowed(b"picture") },
        qos: Some(qos),
        policy: None,
    };
    let headers = Asked {
        qos: Qos { accuracy_floor: Some(Share::ZERO), ..Qos::within(Millis::new(900.0).unwrap()) }.into(),
        policy: Some(PolicyName::Cloud),
        deadline: None,
    };
    let body = schemas::encode(&request).unwrap();
    let (input, asked) = read(Form::MessagePack, &body, headers).unwrap();
    assert_eq!(input, request.input);
    assert_eq!(asked, Asked { qos: qos.into(), policy: Some(PolicyName::Cloud), deadline: None });
}

proptest! {
    #[test]
    fn no_message_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(fault) = read(Form::MessagePack, &body, Asked::default()) {
            assert_eq!(fault.kind, FaultKind::BadRequest);
        }
    }
}
