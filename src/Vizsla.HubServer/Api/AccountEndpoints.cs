using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vizsla.HubServer.Accounts;

namespace Vizsla.HubServer.Api;

/// <summary>Who am I.</summary>
internal static class AccountEndpoints
{
    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/whoami-v2", (HttpContext context, Gate gate) => Answers.Of(WhoAmI(gate.Known(context))));

    private static JsonObject WhoAmI(Caller caller) => new()
    {
        ["type"] = "user",
        ["id"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(caller.User!)))[..24],
        ["name"] = caller.User,
        ["fullname"] = CultureInfo.InvariantCulture.TextInfo.ToTitleCase(caller.User!),
        ["isPro"] = false,
        ["orgs"] = new JsonArray(),
        ["auth"] = new JsonObject
        {
            ["type"] = "access_token",
            ["accessToken"] = new JsonObject { ["displayName"] = caller.Label, ["role"] = caller.Role is TokenRole.Write ? "write" : "read", ["createdAt"] = caller.Created },
        },
    };
}
