//! One process owns a data folder: a second could end a session that the first goes on believing in.

use crate::people::{PASSWORD, is_live, register};
use crate::server::{Finished, Folder, SERVE, Server, finish};

fn names_folder_and_process(refused: &Finished, folder: &Folder, server: &Server) {
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let (folder, process) = (folder.data().display().to_string(), format!("(process {})", server.process()));
    assert!(refused.log.contains(&folder) && refused.log.contains(&process), "{refused:?}");
}

#[test]
fn a_second_server_on_the_folder_is_told_who_has_it() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let refused = finish(folder.exeunt(&SERVE), "");
    names_folder_and_process(&refused, &folder, &server);
    assert!(!refused.out.contains("listens on"), "{refused:?}");
    assert!(is_live(&server, &token), "the first has not noticed");
}

#[test]
fn a_command_on_the_folder_of_a_running_server_changes_nothing() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    for args in [&["user", "add", "bea"][..], &["user", "password", "ana"], &["user", "list"]] {
        names_folder_and_process(&finish(folder.exeunt(args), PASSWORD), &folder, &server);
    }
    assert!(is_live(&server, &token));
    server.stop();
    let listed = finish(folder.exeunt(&["user", "list"]), "");
    assert_eq!(listed.out, "ana\t1 session\n");
}

#[test]
fn a_killed_server_leaves_the_folder_free() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let token = register(&server, "ana");
    server.kill();
    assert!(is_live(&Server::start(&folder), &token));
}
