using System.Runtime.CompilerServices;

namespace Vizsla.Tests;

/// <summary>Has the library prepare the loading of libtorch before any test asks for a tensor: whichever runs first, and alone.</summary>
internal static class LibraryFirst
{
    [ModuleInitializer]
    internal static void Run() => RuntimeHelpers.RunModuleConstructor(typeof(ImageClassifier).Module.ModuleHandle);
}
