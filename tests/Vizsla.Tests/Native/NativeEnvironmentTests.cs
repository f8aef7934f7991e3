using Vizsla.Native;

namespace Vizsla.Tests.Native;

public sealed class NativeEnvironmentTests
{
    [Fact]
    public void A_variable_that_nobody_set_takes_its_default_for_native_libraries_alone()
    {
        const string Name = "VIZSLA_TEST_UNSET";

        var chosen = NativeEnvironment.SetDefault(Name, "1000");

        Assert.Equal("1000", chosen);
        Assert.Equal("1000", NativeEnvironment.Get(Name));
    }

    [Theory]
    [InlineData("VIZSLA_TEST_SET", "7")]
    [InlineData("VIZSLA_TEST_SET_TO_WORDS", "1.5 käse")]
    public void What_the_user_set_is_kept_and_handed_on_to_native_libraries(string name, string value)
    {
        Environment.SetEnvironmentVariable(name, value);

        var chosen = NativeEnvironment.SetDefault(name, "1000");

        Assert.Equal(value, chosen);
        Assert.Equal(value, NativeEnvironment.Get(name));
    }

    [Fact]
    public void A_variable_that_is_not_set_is_null()
    {
        Assert.Null(NativeEnvironment.Get("VIZSLA_TEST_NEVER_SET"));
    }

    [Fact]
    public void The_threads_of_libgomp_are_told_how_long_to_wait_before_libtorch_loads()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "skipped: libgomp is used on Linux only");
        Assert.SkipUnless(Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null, "skipped: OMP_WAIT_POLICY is set");

        Assert.False(NativeEnvironment.IsTooLate);
        Assert.NotNull(NativeEnvironment.Get(TorchThreads.SpinCount));
    }
}
