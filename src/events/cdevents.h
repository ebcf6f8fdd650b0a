// CDEvents v0.5.1 (https://cdevents.dev): is this a good one, and what is wrong with it. All 45 event types and custom
// events (custom/schema.json: dev.cdeventsx.<tool>-<subject>.<predicate>.<version>), with links (links.md, embedded).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "events/cloudevents.h"

namespace headrace::events {

struct Verdict {
  bool valid = false;
  std::string type;  // of the event; of a batch "batch"; empty where none could be read
  Problems errors;
  bool operator==(const Verdict&) const = default;
};

// A CloudEvent (structured), a JSON array of them, or a bare CDEvent. A CloudEvent whose type says that it is a CDEvent
// has its data checked as well, and that both agree on id, source, type, time and subject.
Verdict validate(std::string_view text);

// {"valid","type","errors":[{"pointer","message"}]}: what `headrace event validate --json` prints.
std::string to_json(const Verdict& verdict);

// The problems of one CDEvent, pointers starting with `at`.
Problems check_cdevent(std::string_view text, std::string_view at = {});

bool is_cdevent(std::string_view type);         // "dev.cdevents." or "dev.cdeventsx." in front
std::vector<std::string_view> cdevent_types();  // the 45, sorted

}  // namespace headrace::events
