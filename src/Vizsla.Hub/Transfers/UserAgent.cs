using System.Reflection;
using System.Runtime.InteropServices;

namespace Vizsla.Hub.Transfers;

/// <summary>How this library names itself to servers.</summary>
internal static class UserAgent
{
    public static string Value { get; } =
        $"vizsla/{typeof(UserAgent).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0]} dotnet/{Environment.Version.ToString(2)} ({RuntimeInformation.OSArchitecture})";
}
