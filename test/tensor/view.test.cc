// The seam: arrays become tensors and come back, devices are read, weights are loaded strictly.

#include "hodo/tensor/view.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/tensor/autocast.hh"
#include "hodo/tensor/device.hh"
#include "hodo/tensor/doctor.hh"
#include "hodo/tensor/failure.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/tensor/weights.hh"
#include "support/reference.hh"

namespace hodo::tensor {
namespace {

using testing::HasSubstr;

TEST(Tensors, an_array_is_shared_and_kept_alive) {
    at::Tensor shared;
    const void* place = nullptr;
    {
        const auto array = io::make_array(std::vector<float>{1, 2, 3});
        place = array.bytes.data();
        shared = from_array(array);
    }
    EXPECT_EQ(shared.data_ptr(), place);
    EXPECT_EQ(shared.sum().item<float>(), 6.0F);
}

TEST(Tensors, arrays_of_every_type_come_back_unchanged) {
    for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                            at::kShort, at::kChar, at::kByte, at::kBool}) {
        for (const Shape& shape : {Shape{}, Shape{0, 2}, Shape{2, 3}}) {
            const auto original = at::ones(shape, type);
            const auto back = from_array(to_array(original));
            EXPECT_EQ(back.scalar_type(), type);
            EXPECT_TRUE(at::equal(back, original)) << c10::toString(type);
        }
    }
    EXPECT_THAT(test::error_of([] { from_array(io::make_array(std::vector<std::uint32_t>{1})); }),
                HasSubstr("uint32"));
}

TEST(Tensors, a_tensor_of_another_layout_is_copied_in_its_order) {
    const auto tensor = at::arange(6, at::kFloat).view({2, 3}).t();
    EXPECT_EQ(to_array(tensor).floats(), (std::vector<float>{0, 3, 1, 4, 2, 5}));
    auto contiguous = at::arange(3, at::kLong);
    EXPECT_EQ(static_cast<const void*>(to_array(contiguous).bytes.data()), contiguous.data_ptr());
}

TEST(Tensors, views_share_and_copies_do_not) {
    std::vector<float> numbers{1, 2, 3, 4};
    auto shared = view(std::span(numbers), {2, 2});
    const auto copied = copy<float>(numbers, {4});
    numbers[0] = 9;
    EXPECT_EQ(shared[0][0].item<float>(), 9.0F);
    EXPECT_EQ(copied[0].item<float>(), 1.0F);
    mutable_values<float>(shared)[3] = 7;
    EXPECT_EQ(numbers[3], 7.0F);
    EXPECT_EQ(values<float>(shared)[0], 9.0F);
    EXPECT_THROW(values<double>(shared), base::Defect);
    EXPECT_THROW(view(std::span(numbers), {3}), base::Defect);
}

TEST(Tensors, devices_are_read_or_refused_with_a_reason) {
    EXPECT_EQ(parse_device("cpu"), Device{});
    EXPECT_EQ(parse_device("cpu").text(), "cpu");
    EXPECT_EQ((Device{Device::Kind::cuda, 2}).text(), "cuda:2");
    for (const auto* wrong : {"gpu", "cuda:x", "cuda:-1", ""}) {
        EXPECT_THAT(test::error_of([&] { parse_device(wrong); }), HasSubstr("known are cpu"));
    }
    if (cuda_devices() > 0) {
        EXPECT_EQ(parse_device("cuda").index, 0);
        EXPECT_THAT(test::error_of([] { parse_device("cuda:99"); }), HasSubstr("does not exist"));
    } else {
        EXPECT_THAT(test::error_of([] { parse_device("cuda:0"); }), HasSubstr("use --device cpu"));
    }
}

TEST(Tensors, parallel_loops_use_the_threads_asked_for) {
    base::set_threads(2);
    prepare_process(OperatorThreads::all);
    EXPECT_EQ(measured_threads(), 2) << "was this compiled without OpenMP?";
    prepare_process(OperatorThreads::one);
    EXPECT_EQ(measured_threads(), 1);
}

TEST(Tensors, generators_repeat_after_seeding) {
    seed_generators(7);
    const auto first = at::rand({4});
    seed_generators(7);
    EXPECT_TRUE(at::equal(at::rand({4}), first));
    seed_generators(8);
    EXPECT_FALSE(at::equal(at::rand({4}), first));
}

TEST(Tensors, autocast_makes_products_bfloat16_while_it_lives) {
    const auto a = at::ones({4, 4});
    const auto type = [&] { return at::matmul(a, a).scalar_type(); };
    EXPECT_EQ(type(), at::kFloat);
    {
        const Autocast outer(Precision::bf16);
        EXPECT_EQ(type(), at::kBFloat16);
        {
            const Autocast inner(Precision::bf16);
            EXPECT_EQ(type(), at::kBFloat16);
        }
        EXPECT_EQ(type(), at::kBFloat16);
    }
    EXPECT_EQ(type(), at::kFloat);
    const Autocast none(Precision::float32);
    EXPECT_EQ(type(), at::kFloat);
}

struct Small {
    at::Tensor weight = at::zeros({2, 2}), bias = at::zeros({2});
    void visit(ParameterVisitor& v) {
        v("weight", weight);
        v("bias", bias);
    }
};

TEST(Tensors, weights_are_loaded_by_name_and_converted) {
    const test::TemporaryFolder folder;
    const io::NamedArrays stored{{"net.bias", io::make_array(std::vector<double>{5, 6})},
                                 {"net.weight", to_array(at::arange(4, at::kFloat).view({2, 2}))}};
    io::write_weights(folder / "w.safetensors", stored);
    Small small;
    const auto parameters = named_parameters(small);
    load_parameters(parameters, io::WeightFile::open(folder / "w.safetensors"),
                    [](const std::string& name) { return "net." + name; });
    EXPECT_EQ(small.bias[1].item<float>(), 6.0F);
    EXPECT_EQ(small.weight[1][0].item<float>(), 2.0F);
    EXPECT_EQ(parameter_count(parameters), 6);

    const auto arrays = parameter_arrays(parameters);
    small.bias.zero_();
    EXPECT_EQ(io::find(arrays, "bias", "memory").floats(), (std::vector<float>{5, 6}));
}

TEST(Tensors, a_fingerprint_tells_values_and_names) {
    auto first = at::ones({2, 3}), second = at::ones({2, 3});
    const auto print = fingerprint(std::vector<NamedParameter>{{"a", &first}});
    EXPECT_EQ(print.size(), 16U);
    EXPECT_EQ(print, fingerprint(std::vector<NamedParameter>{{"a", &second}}));
    EXPECT_NE(print, fingerprint(std::vector<NamedParameter>{{"b", &first}}));
    second[1][2] = 1.5;
    EXPECT_NE(print, fingerprint(std::vector<NamedParameter>{{"a", &second}}));
}

TEST(Tensors, weights_that_do_not_fit_are_listed_in_one_sentence) {
    const test::TemporaryFolder folder;
    const auto file = folder / "w.safetensors";
    io::write_weights(file, {{"weight", io::make_array(std::vector<float>{1, 2, 3})},
                             {"extra", io::make_array(std::vector<float>{1})}});
    Small small;
    const auto parameters = named_parameters(small);
    const auto message =
        test::error_of([&] { load_parameters(parameters, io::WeightFile::open(file)); });
    EXPECT_THAT(message, HasSubstr("missing are bias"));
    EXPECT_THAT(message, HasSubstr("unexpected are extra"));
    EXPECT_THAT(message, HasSubstr("weight is [3] instead of [2, 2]"));
    EXPECT_EQ(small.weight.abs().sum().item<float>(), 0.0F);
}

TEST(Tensors, exceptions_of_libtorch_keep_their_first_line) {
    const auto message = test::error_of([] {
        guarded("encoding event 3", [] { return at::matmul(at::ones({2, 3}), at::ones({2, 3})); });
    });
    EXPECT_THAT(message, HasSubstr("encoding event 3: mat1 and mat2 shapes"));
    EXPECT_EQ(message.find('\n'), std::string::npos);
    EXPECT_EQ(test::error_of([] { guarded("x", [] { base::fail("our own"); }); }), "our own");
    EXPECT_THAT(test::error_of([] { guarded("x", [] { at::empty({1L << 60}); }); }),
                HasSubstr("use a smaller network or batch"));
}

TEST(Tensors, the_doctor_sees_what_is_used) {
    const auto doctor = examine();
    EXPECT_THAT(doctor.libtorch, testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
    EXPECT_GT(doctor.gflops, 0);
    EXPECT_THAT(doctor.vector_level, testing::AnyOf("default", "avx2", "avx512"));
    EXPECT_FALSE(doctor.blas.empty());
    EXPECT_THAT(library_line(), HasSubstr(doctor.vector_level));
    auto slow = doctor;
    slow.gflops = 2.6;
    slow.threads = 8;
    slow.measured_threads = 1;
    slow.blas = "/usr/lib/openblas-pthread/libopenblas.so.0";
    EXPECT_EQ(slow.warnings().size(), 3U);
    EXPECT_THAT(slow.warnings()[0], HasSubstr("libopenblas0-openmp"));
}

}  // namespace
}  // namespace hodo::tensor
