// What the egress program and the processes that serve may reach: little, as they read what jobs send.
#pragma once

namespace headrace::process::egress {

// A file system that holds what leads to a resolv.conf and nothing else, read-only; another user than root makes a user
// name space for it. Where the kernel gives neither, all stays as it is.
void leave_file_system();

// Bounds of memory and descriptors for this and all it starts.
void set_limits();

// Gives up every right but to become another user and to end what became one; nothing regains them. Then the filter of
// system calls, for this process and all it starts. False, errno set: that could not be.
bool drop_rights();

// In a process that serves: becomes `user` where we are root (never root again), dies with `parent`, starts nothing.
bool become(unsigned user, int parent);

}  // namespace headrace::process::egress
