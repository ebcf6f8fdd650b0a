#include <bus/bus.h>

#include <iostream>

int main() {
  headrace::bus::Local bus("./events");  // a durable log in this folder
  auto heard = bus.subscribe("type LIKE 'com.example.%'", [](const headrace::events::Event& event) {
    std::cout << event.type << " " << event.data << "\n";
  });
  bus.publish({.type = "com.other.greeted", .data = R"({"hello":"nobody"})"});
  bus.publish({.type = "com.example.greeted", .data = R"({"hello":"world"})"});  // on disk, and heard, when it returns
}
