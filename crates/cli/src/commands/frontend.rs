//! Commands that act on all listeners of a frontend.

use crate::command::{Call, Command, Level, Reply, Severity};
use crate::state::{Exports, Listeners, Process};
use hawser_proto::FrontendStatus as Status;

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("disable frontend", "disable frontend <frontend>", Level::Admin, |c| change(c, Status::Paused), "stop accepting on a frontend for a while"),
    Command::new("enable frontend", "enable frontend <frontend>", Level::Admin, |c| change(c, Status::Open), "accept on a frontend again"),
    Command::new("shutdown frontend", "shutdown frontend <frontend>", Level::Admin, |c| change(c, Status::Stopped), "close the listeners of a frontend for good"),
];

fn change(call: &mut Call<'_>, wanted: Status) -> Reply {
    let name = call.arg(0);
    if name.is_empty() {
        return Reply::err("A frontend name is expected.");
    }
    let process = call.state.get::<Process>();
    let (Some(frontend), Some(listeners)) =
        (process.as_ref().and_then(|p| p.frontend(name)), call.state.get::<Listeners>())
    else {
        return Reply::err("No such frontend.");
    };
    let why = match (frontend.status(), wanted) {
        (Status::Stopped, Status::Paused) => "Frontend was previously shut down, cannot disable.",
        (Status::Stopped, Status::Open) => "Frontend was previously shut down, cannot enable.",
        (Status::Stopped, Status::Stopped) => "Frontend was already shut down.",
        (Status::Paused, Status::Paused) => "All sockets are already disabled.",
        (Status::Open, Status::Open) => "All sockets are already enabled.",
        _ => {
            frontend.set_status(wanted);
            if let (Status::Stopped, Some(exports)) = (wanted, call.state.get::<Exports>()) {
                exports.0.lock().retain(|(index, _)| *index != frontend.index);
            }
            (listeners.0)(frontend.index, wanted);
            return Reply::Done;
        }
    };
    Reply::Message(Severity::Notice, why.to_owned())
}
