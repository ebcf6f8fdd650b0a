#include "events/artifact.h"

#include "events/codec.h"

namespace headrace::events {

using codec::Is;
using enum codec::Presence;

template <class Visit>
void fields(Visit& visit, Is<ArtifactPackaged> auto& it) {
  visit.subject("artifact", it.artifact, "Package URL of the artifact.");
  visit.reference("change", it.commit, "Commit that it was made of.");
  visit.own("id", it.id, always, "Number of the artifact; GitHub's API calls it artifact_id.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("name", it.name, always, "Name of the artifact, unique in its run.");
  visit.own("run", it.run, always, "UUID of the run.");
  visit.own("run_id", it.run_id, always, "Number of the run, as the API shows it.");
  visit.own("job", it.job, always, "UUID of the job that uploaded it.");
  visit.own("ref", it.ref, where_known, "Full name of the ref of the run.");
  visit.own("digest", it.digest, always, "SHA-256 of the bytes: sha256:<64 hexadecimal digits>.");
  visit.own("size", it.size, always, "Bytes.");
  visit.own("media", it.media, always, "Media type of the bytes.");
  visit.own("expires", it.expires, always, "When it will be deleted.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<ArtifactPublished> auto& it) {
  visit.subject("artifact", it.artifact, "Package URL of the artifact.");
  visit.own("id", it.id, always, "Number of the artifact.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("name", it.name, always, "Name of the artifact.");
  visit.own("run", it.run, always, "UUID of the run.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<ArtifactDownloaded> auto& it) {
  visit.subject("artifact", it.artifact, "Package URL of the artifact.");
  visit.own("id", it.id, always, "Number of the artifact.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("name", it.name, always, "Name of the artifact.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<ArtifactDeleted> auto& it) {
  visit.subject("artifact", it.artifact, "Package URL of the artifact.");
  visit.own("id", it.id, always, "Number of the artifact.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("name", it.name, always, "Name of the artifact.");
  visit.own("reason", it.reason, always, "requested: by the actor; expired: its retention is over.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<CacheSaved> auto& it) {
  visit.subject("cache", it.cache, "Repository and number of the cache.");
  visit.own("id", it.id, always, "Number of the cache; GitHub's API calls it cache_id.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("ref", it.ref, always, "Full name of the ref that it belongs to.");
  visit.own("key", it.key, always, "As the workflow named it.");
  visit.own("version", it.version, always, "Digest of the paths and of how they were packed.");
  visit.own("digest", it.digest, always, "SHA-256 of the bytes: sha256:<64 hexadecimal digits>.");
  visit.own("size", it.size, always, "Bytes.");
  visit.own("run", it.run, where_known, "UUID of the run that saved it.");
  visit.own("job", it.job, where_known, "UUID of the job that saved it.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<CacheUsed> auto& it) {
  visit.subject("cache", it.cache, "Repository and number of the cache.");
  visit.own("id", it.id, always, "Number of the cache.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<CacheDeleted> auto& it) {
  visit.subject("cache", it.cache, "Repository and number of the cache.");
  visit.own("id", it.id, always, "Number of the cache.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("key", it.key, always, "As the workflow named it.");
  visit.own("reason", it.reason, always,
            "requested: by the actor; unused: nobody asked for it for too long; room: others of the repository needed "
            "it.");
  visit.ordered_by(it.repository);
}

HEADRACE_EVENTS_WORD(ArtifactPackaged)
HEADRACE_EVENTS_WORD(ArtifactPublished)
HEADRACE_EVENTS_WORD(ArtifactDownloaded)
HEADRACE_EVENTS_WORD(ArtifactDeleted)
HEADRACE_EVENTS_WORD(CacheSaved)
HEADRACE_EVENTS_WORD(CacheUsed)
HEADRACE_EVENTS_WORD(CacheDeleted)

std::vector<codec::Entry> codec::artifact_words() {
  return {
      entry<ArtifactPackaged>("ArtifactPackaged", "artifact",
                              "A job has uploaded an artifact; its bytes are on disk and their digest was compared."),
      entry<ArtifactPublished>("ArtifactPublished", "artifact",
                               "An artifact may be had by everybody with the right to read the repository's runs."),
      entry<ArtifactDownloaded>("ArtifactDownloaded", "artifact", "Somebody was sent an artifact."),
      entry<ArtifactDeleted>("ArtifactDeleted", "artifact",
                             "An artifact was deleted, because somebody asked for it or its retention is over."),
      entry<CacheSaved>("CacheSaved", "artifact", "A job has saved a cache of its repository."),
      entry<CacheUsed>("CacheUsed", "artifact", "A job was given a cache; at most once an hour for each."),
      entry<CacheDeleted>("CacheDeleted", "artifact",
                          "A cache was deleted: somebody asked for it, nobody used it, or room was needed."),
  };
}

}  // namespace headrace::events
