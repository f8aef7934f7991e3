using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vizsla.Serving;
using Vizsla.Serving.Api;

namespace Vizsla.Studio.Hosting;

/// <summary>What the studio and the serving application share: listening, limits, security.</summary>
internal static class ServerSetup
{
    /// <summary>A builder that listens where it is told, reads no settings from the current folder, and logs warnings to standard error.</summary>
    public static WebApplicationBuilder CreateBuilder(HostOptions host, ServingOptions serving)
    {
        host.Validate();
        serving.Validate();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = typeof(ServerSetup).Assembly.GetName().Name });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = serving.MaxPictureBytes * 2;
            kestrel.Listen(host.Address, host.Port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning);
        // What a model could not be loaded for is told to whoever waits for it, in one sentence.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.Logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddRouting();
        builder.Services.AddSingleton(host);
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(o => o.ShutdownTimeout = serving.DrainTimeout + TimeSpan.FromSeconds(10));
        return builder;
    }

    /// <summary>The checks that every request passes, in order.</summary>
    public static void UseSafety(WebApplication application)
    {
        application.UseMiddleware<SafetyHeaders>();
        application.UseMiddleware<ErrorAnswers>();
        application.UseMiddleware<HostGuard>();
        application.UseMiddleware<TokenGuard>();
    }
}
