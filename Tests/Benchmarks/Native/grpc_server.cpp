// grpc_server REPLY-FILE [THREADS]: gRPC's C++ server with one completion queue for each thread.
// Prints its port and serves until it is killed.
#include <fstream>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "guildhall/organizations/v1/organizations.grpc.pb.h"

using namespace guildhall::organizations::v1;

namespace {

// One call, from the wait for its request to the end of its answer; then it waits for another.
class Call {
public:
    Call(Organizations::AsyncService &service, grpc::ServerCompletionQueue &queue,
         const Organization &reply)
        : service(service), queue(queue), reply(reply) {
        await();
    }

    void proceed(bool ok) {
        if (!ok) return;
        if (isAnswered) {
            await();
        } else {
            isAnswered = true;
            answer->Finish(reply, grpc::Status::OK, this);
        }
    }

private:
    void await() {
        isAnswered = false;
        answer.reset();
        context = std::make_unique<grpc::ServerContext>();
        answer = std::make_unique<grpc::ServerAsyncResponseWriter<Organization>>(context.get());
        service.RequestGetOrganization(context.get(), &request, answer.get(), &queue, &queue, this);
    }

    Organizations::AsyncService &service;
    grpc::ServerCompletionQueue &queue;
    const Organization &reply;
    bool isAnswered = false;
    std::unique_ptr<grpc::ServerContext> context;
    std::unique_ptr<grpc::ServerAsyncResponseWriter<Organization>> answer;
    GetOrganizationRequest request;
};

// At least as many as calls are in flight, so that none waits for a place.
constexpr int callsPerQueue = 256;

void serve(Organizations::AsyncService &service, grpc::ServerCompletionQueue &queue,
           const Organization &reply) {
    std::vector<std::unique_ptr<Call>> calls;
    for (int count = 0; count < callsPerQueue; count++)
        calls.push_back(std::make_unique<Call>(service, queue, reply));
    void *tag;
    bool ok;
    while (queue.Next(&tag, &ok)) static_cast<Call *>(tag)->proceed(ok);
}

} // namespace

int main(int count, char **arguments) {
    Organization reply;
    std::ifstream file(count > 1 ? arguments[1] : "", std::ios::binary);
    if (!reply.ParseFromIstream(&file)) {
        std::cerr << "usage: grpc_server REPLY-FILE [THREADS]\n";
        return 1;
    }
    int threadCount = count > 2 ? std::stoi(arguments[2]) : 1;
    Organizations::AsyncService service;
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
    for (int thread = 0; thread < threadCount; thread++)
        queues.push_back(builder.AddCompletionQueue());
    auto server = builder.BuildAndStart();
    std::cout << port << std::endl;
    std::vector<std::thread> threads;
    for (auto &queue : queues)
        threads.emplace_back([&] { serve(service, *queue, reply); });
    for (auto &thread : threads) thread.join();
}
