// Many small folders that come and go, as those of jobs do, on ext4.
//
// ext4 does not give an inode away again for a minute or more after it was deleted, and looks at each such one whenever
// it makes a file in their group of inodes; a folder's files, and the folders in it, are of the group of their parent.
// So a runner that makes and removes hundreds of jobs' folders a minute spends most of its time there (measured: 4 ms
// a job of 20 files after 1,200 jobs, and growing). Folders of a "top" folder go to groups of their own instead.
#pragma once

#include <string>

namespace headrace::runner {

// Folders made in this one from now on are spread over the disk. Nothing happens where the file system knows no such
// thing, or the folder is not ours.
void spread_folders_of(const std::string& folder);

}  // namespace headrace::runner
